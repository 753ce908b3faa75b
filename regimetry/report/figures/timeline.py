"""When each regime held, how likely each was, and how new the windows were."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from regimetry.analysis import Spells
from regimetry.report.axis import TimeAxis
from regimetry.report.colours import REGIME_COLOURS, Look
from regimetry.report.figures.style import INK, MUTED, label, new_figure, safe, short, time_axis
from regimetry.report.thinning import BUCKETS, bucket_means, drawn_spells, extreme_rows

_TOP, _SPACE, _BOTTOM, _PROBABILITY, _NOVELTY = 8, 26, 44, 150, 110  # pixels


def timeline_figure(
    axis: TimeAxis,
    spells: Spells,
    probability: NDArray[np.float64],
    novelty: NDArray[np.float64],
    regimes: list[Look],
    *,
    buckets: int = BUCKETS,
) -> go.Figure:
    """Draw a lane of spells for each regime, the probabilities, and the novelty, over one axis.

    Parameters
    ----------
    axis : TimeAxis, T bars
    spells : Spells
    probability : ndarray of float64, shape (T, K)
        Means of each bucket are drawn: stacked up to seven regimes, as rows of colour beyond.
    novelty : ndarray of float64, shape (T,)
        Extremes of each bucket are drawn.
    regimes : list of Look, length K
    buckets : int
        As in :mod:`regimetry.report.thinning`.
    """
    k = len(regimes)
    lane = 22 if k <= 7 else 13
    lanes = max(44, lane * k)
    chart = _PROBABILITY if k <= len(REGIME_COLOURS) else max(_PROBABILITY, 9 * k)
    heights = (lanes, chart, _NOVELTY)
    total = sum(heights) + 2 * _SPACE
    figure = new_figure(total + _TOP + _BOTTOM)
    figure.update_layout(margin={"t": _TOP, "b": _BOTTOM, "l": 88})
    _lanes(figure, axis, spells, regimes, lane=lane, buckets=buckets)
    _probabilities(figure, axis, probability, regimes, buckets)
    rows = extreme_rows(novelty, buckets)
    figure.add_scatter(
        x=axis.values[rows],
        y=novelty[rows].astype(np.float32),
        yaxis="y3",
        mode="lines" if np.isfinite(novelty).sum() > 1 else "markers",
        line={"color": INK, "width": 1},
        hovertemplate="%{x}<br>novelty %{y:.3~g}<extra></extra>",
        meta={"ink": "ink"},
    )
    typical = {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "yref": "y3", "y0": 1, "y1": 1}
    figure.add_shape(typical, line={"color": MUTED, "dash": "dot", "width": 1})
    edges, top = [], 1.0
    for height in heights:
        edges.append([max(top - height / total, 0.0), top])
        top -= (height + _SPACE) / total
    names = [short(look.name) for look in regimes]
    rows_axis = {
        "tickvals": list(range(k)),
        "ticktext": names,
        "range": [k - 0.5, -0.5],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"size": 12 if k <= 7 else 9},
    }
    stacked = {"range": [0, 1], "tickformat": ".0%", "nticks": 4, "title": label("probability")}
    figure.update_layout(
        xaxis={**time_axis(axis), "anchor": "y3"},
        yaxis={**rows_axis, "domain": edges[0]},
        yaxis2={
            **(stacked if k <= len(REGIME_COLOURS) else rows_axis),
            "domain": edges[1],
            "fixedrange": True,
            "zeroline": False,
        },
        yaxis3={
            "domain": edges[2],
            "title": label("novelty"),
            "rangemode": "tozero",
            "zeroline": False,
            "fixedrange": True,
            "nticks": 4,
        },
    )
    return figure


def _lanes(
    figure: go.Figure,
    axis: TimeAxis,
    spells: Spells,
    regimes: list[Look],
    *,
    lane: int,
    buckets: int,
) -> None:
    """Draw each spell from its first bar to the place of the bar behind its last."""
    regime, first, last = drawn_spells(spells, len(axis.values), buckets)
    step = float(np.median(np.diff(axis.values))) if len(axis.values) > 1 else 1.0
    ends = np.append(axis.values, axis.values[-1] + step)
    for number, look in enumerate(regimes):
        mine = regime == number
        behind = ends[last[mine] + 1]
        x = np.column_stack([axis.values[first[mine]], behind, behind])
        y = np.tile(np.array([number, number, np.nan], np.float32), len(x))
        figure.add_scatter(
            x=x.ravel(),
            y=y,
            name=safe(look.name),
            mode="lines",
            line={"color": look.colour, "width": 0.62 * lane},
            hovertemplate=f"%{{x}}<extra>{safe(look.name)}</extra>",
            meta={"regime": number},
        )


def _probabilities(
    figure: go.Figure,
    axis: TimeAxis,
    probability: NDArray[np.float64],
    regimes: list[Look],
    buckets: int,
) -> None:
    rows, means = bucket_means(probability, buckets)
    begin = int(np.argmax(~np.isnan(means[:, 0])))  # a stack would rise from zero before it
    rows, means = rows[begin:], means[begin:]
    x, means = axis.values[rows], means.astype(np.float32)
    if len(regimes) > len(REGIME_COLOURS):
        figure.add_heatmap(
            x=x,
            y=list(range(len(regimes))),
            z=np.round(means.T, 3),
            zmin=0,
            zmax=1,
            yaxis="y2",
            showscale=False,
            hovertemplate="%{x}<br>regime %{y}: %{z:.0%}<extra></extra>",
            meta={"rows": True},
        )
        return
    for number, look in enumerate(regimes):
        figure.add_scatter(
            x=x,
            y=means[:, number],
            yaxis="y2",
            name=safe(look.name),
            mode="lines",
            stackgroup="probability",
            line={"width": 0, "color": look.colour},
            fillcolor=look.colour,
            hovertemplate=f"%{{x}}<br>{safe(look.name)} %{{y:.0%}}<extra></extra>",
            meta={"regime": number},
        )
