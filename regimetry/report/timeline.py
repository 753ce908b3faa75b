"""The series over time, coloured by regime, above the probabilities and the novelty."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure

from regimetry.runtime.model import MISSING, Labelling

if TYPE_CHECKING:
    import pandas as pd

REGIME_COLOURS = ("#0072B2", "#E69F00", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442")
"""Of Okabe, Ito 2008: told apart by colour-blind readers. More regimes repeat them."""

_NO_REGIME = "#999999"


def colour_of(regime: int) -> str:
    """Return the colour of a regime; grey where there is none."""
    return _NO_REGIME if regime == MISSING else REGIME_COLOURS[regime % len(REGIME_COLOURS)]


def draw_timeline(price: pd.Series, labels: Labelling) -> Figure:
    """Draw a series coloured by its causal labels.

    Parameters
    ----------
    price : pandas.Series, shape (T,)
        Drawn on a logarithmic axis if it is positive throughout.
    labels : Labelling
        Of the same bars, in pandas.

    Returns
    -------
    matplotlib.figure.Figure
    """
    dated = price.index.dtype.kind == "M"
    x = np.asarray(date2num(price.index) if dated else np.arange(len(price)), dtype=float)
    y = price.to_numpy(dtype=float)
    regime = labels.regime.fillna(MISSING).to_numpy(dtype=int)

    figure = Figure(figsize=(12, 7), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=[5, 1.4, 1])
    # One segment from each bar to the next, in the colour of the later one: what was known then.
    points = np.column_stack([x, y])
    segments = np.stack([points[:-1], points[1:]], axis=1)
    top.add_collection(
        LineCollection(list(segments), colors=[colour_of(k) for k in regime[1:]], linewidths=1.1)
    )
    top.autoscale_view()
    if (y > 0).all():
        top.set_yscale("log")
        top.yaxis.set_major_formatter("{x:g}")
        top.yaxis.set_minor_formatter("{x:g}")
    top.set_ylabel(str(price.name))
    names = list(labels.probability.columns)
    _legend(top, names)

    probability = labels.probability.to_numpy()
    middle.stackplot(x, probability.T, colors=[colour_of(k) for k in range(len(names))], lw=0)
    middle.set_ylim(0, 1)
    middle.set_ylabel("probability")
    bottom.plot(x, labels.novelty.to_numpy(), color="black", linewidth=0.6)
    bottom.set_ylabel("novelty")
    bottom.set_xlim(x[0], x[-1])
    if dated:
        locator = AutoDateLocator()
        bottom.xaxis.set_major_locator(locator)
        bottom.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    for axes in (top, middle, bottom):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def _legend(axes: Any, names: list[str]) -> None:
    for number, name in enumerate(names):
        axes.plot([], [], color=colour_of(number), linewidth=4, label=name)
    axes.legend(loc="upper left", frameon=False, ncols=len(names))
