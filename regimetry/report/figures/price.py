"""The price, coloured by regime."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from regimetry.report.axis import TimeAxis
from regimetry.report.colours import Look
from regimetry.report.figures.style import MUTED, label, new_figure, safe, time_axis
from regimetry.report.thinning import BUCKETS, extreme_rows


def price_figure(
    axis: TimeAxis,
    name: str,
    values: NDArray[np.float64],
    labels: NDArray[np.int64],
    regimes: list[Look],
    *,
    buckets: int = BUCKETS,
) -> go.Figure:
    """Draw a column over time, each step in the colour of the bar that it leads to.

    Parameters
    ----------
    axis : TimeAxis, T bars
    name : str
    values : ndarray of float64, shape (T,)
        NaN where missing; on a logarithmic axis if all are positive.
    labels : ndarray of int64, shape (T,)
        Negative where missing: such steps stay grey.
    regimes : list of Look, length K
    buckets : int
        As for :func:`extreme_rows`.
    """
    rows = extreme_rows(values, buckets)
    x, y, labels = axis.values[rows], values[rows].astype(np.float32), labels[rows]
    named = [safe(look.name) for look in regimes]
    figure = new_figure(420)
    figure.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": MUTED, "width": 1},
        text=[named[label] if label >= 0 else "no regime" for label in labels],
        hovertemplate=f"%{{x}}<br>{safe(name)} %{{y:,.6~r}}<br>%{{text}}<extra></extra>",
        meta={"ink": "muted", "base": True},
    )
    for regime, look in enumerate(regimes):
        steps = regime_steps(labels, regime)
        gap = steps < 0
        figure.add_scatter(
            x=x[steps],  # a gap's place does not matter
            y=np.where(gap, np.float32(np.nan), y[steps]),
            mode="lines",
            name=named[regime],
            line={"color": look.colour, "width": 1.8, "dash": look.dash},
            hoverinfo="skip",
            meta={"regime": regime},
        )
    figure.update_xaxes(**time_axis(axis), rangeslider={"visible": True, "thickness": 0.12})
    figure.update_yaxes(
        title=label(name),
        type="log" if all_positive(values) else "linear",
        tickformat=",.6~r",
        zeroline=False,
        fixedrange=False,
    )
    return figure


def all_positive(values: NDArray[np.float64]) -> bool:
    """Whether a logarithmic axis can show all values; NaN where one is missing."""
    return bool((values > 0).any() and not (values <= 0).any())


def regime_steps(labels: NDArray[np.int64], regime: int) -> NDArray[np.int64]:
    """Return the rows of a regime's line: those it holds, each stretch after the row before it.

    Stretches are parted by -1, which stands for a gap.
    """
    held = np.flatnonzero(labels == regime)
    if not len(held):
        return held
    begins = np.flatnonzero(np.diff(held, prepend=held[0] - 2) > 1)
    before = np.maximum(held[begins] - 1, 0)
    lead = np.column_stack([np.full(len(begins), -1), before]).ravel()
    return np.insert(held, np.repeat(begins, 2), lead)[1:]
