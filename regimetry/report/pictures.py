"""The figures without a page, by matplotlib: no browser is needed to draw them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from numpy.typing import NDArray

from regimetry.report.axis import TimeAxis
from regimetry.report.colours import NO_REGIME, REGIME_COLOURS, Look
from regimetry.report.data import Drawn, ReportData
from regimetry.report.embedding_maps import EmbeddingMap
from regimetry.report.figures.dwell import length_edges, panel_grid
from regimetry.report.figures.price import all_positive
from regimetry.report.figures.training import VALIDATION

_MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "triangle-up": "^",
    "x": "x",
    "cross": "P",
}
_MOST_NAMES = 14  # regimes that a legend names


def pictures(data: ReportData) -> dict[str, Callable[[], Figure]]:
    """Return what draws each picture, by name; the first is the one that stands for all."""
    drawn: dict[str, Callable[[], Figure]] = {
        "timeline": lambda: draw_timeline(data),
        "transitions": lambda: draw_transitions(data),
        "dwell": lambda: draw_dwell(data),
    }
    for found in data.maps:
        drawn[found.name.lower()] = lambda found=found: draw_map(found, data)  # type: ignore[misc]
    if data.contract.training.history:
        drawn["training"] = lambda: draw_training(data)
    return drawn


def save_picture(figure: Figure, path: Path) -> None:
    """Write a picture; its suffix chooses the format. The same figure gives the same bytes."""
    kind = path.suffix.lower().removeprefix(".")
    metadata = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
    with warnings.catch_warnings():
        # A name in letters that the font lacks is drawn as boxes; the picture is whole otherwise.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(path, format=kind, dpi=150, metadata=metadata)


def draw_timeline(data: ReportData) -> Figure:
    """Draw the price coloured by regime, above the probabilities and the novelty."""
    x = data.axis.matplotlib
    figure = Figure(figsize=(12, 7), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=[5, 1.4, 1])
    draw_series(top, data.axis, data.drawn, data.labels, data.looks)
    colours = [look.colour for look in data.looks]
    middle.stackplot(x, np.nan_to_num(data.probability).T, colors=colours, lw=0)
    middle.set(ylim=(0, 1), ylabel="probability")
    bottom.plot(x, data.novelty, color="black", linewidth=0.6)
    bottom.set_ylabel("novelty")
    if len(x) > 1:
        bottom.set_xlim(x[0], x[-1])
    draw_axis(bottom, data.axis)
    _open(top, middle, bottom)
    return figure


def draw_series(
    axes: Axes,
    axis: TimeAxis,
    drawn: Drawn,
    labels: NDArray[np.int64],
    looks: Sequence[Look],
) -> None:
    """Draw a column over time (T,), coloured by the regime of each bar (T,)."""
    # One segment from each bar to the next, in the colour of the later one: what was known then.
    points = np.column_stack([axis.matplotlib, drawn.values])
    segments = np.stack([points[:-1], points[1:]], axis=1)
    later = [looks[k].colour if k >= 0 else NO_REGIME for k in labels[1:]]
    axes.add_collection(LineCollection(list(segments), colors=later, linewidths=1.1))
    axes.autoscale_view()
    if all_positive(drawn.values):
        axes.set_yscale("log")
        axes.yaxis.set_major_formatter("{x:g}")
        axes.yaxis.set_minor_formatter("{x:g}")
    axes.set_ylabel(_safe(drawn.name))
    if len(looks) <= _MOST_NAMES:
        for look in looks:
            axes.plot([], [], color=look.colour, linewidth=4, label=_safe(look.name))
        axes.legend(loc="upper left", frameon=False, ncols=min(len(looks), 7))


def draw_axis(axes: Axes, axis: TimeAxis) -> None:
    """Mark times along an axis as dates, or name what it counts."""
    if axis.dated:
        locator = AutoDateLocator()
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    else:
        axes.set_xlabel(_safe(axis.name))


def draw_transitions(data: ReportData) -> Figure:
    """Draw the empirical transition matrix, the share in each cell where there is room."""
    matrix, k = data.analysis.transitions.empirical, len(data.regimes)
    figure = Figure(figsize=(6, 5), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(matrix, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(image)
    if k <= len(REGIME_COLOURS):
        for (i, j), share in np.ndenumerate(matrix):
            colour = "white" if share > 0.5 else "black"
            axes.text(j, i, f"{share:.3f}", ha="center", va="center", color=colour)
    names = [_safe(name) for name in data.regimes]
    size = 10 if k <= _MOST_NAMES else 5
    axes.set_xticks(range(k), names, rotation=45 if k <= 3 else 90, fontsize=size)
    axes.set_yticks(range(k), names, fontsize=size)
    axes.set(xlabel=f"next {data.contract.unit}", ylabel=f"this {data.contract.unit}")
    return figure


def draw_dwell(data: ReportData) -> Figure:
    """Draw a histogram of spell lengths for each regime, and the dwell that the matrix expects."""
    looks, spells = data.looks, data.spells
    lines, columns = panel_grid(len(looks))
    figure = Figure(figsize=(3.4 * columns, 1.2 + 1.8 * lines), layout="constrained")
    grid = figure.subplots(lines, columns, sharex=True, squeeze=False).ravel()
    edges = length_edges(int(spells.length.max(initial=1)))
    for axes in grid[len(looks) :]:
        axes.set_visible(False)
    for regime, (axes, look) in enumerate(zip(grid, looks, strict=False)):
        axes.hist(spells.length[spells.regime == regime], edges, color=look.colour)
        expected = data.analysis.dwell.expected[regime]
        if np.isfinite(expected):
            axes.axvline(expected, color="0.4", linestyle=":")
        axes.set_xscale("log")
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_title(_safe(look.name), fontsize=9)
        _open(axes)
    figure.supxlabel(data.contract.units, fontsize=9)
    figure.supylabel("spells", fontsize=9)
    return figure


def draw_map(found: EmbeddingMap, data: ReportData) -> Figure:
    """Draw a map of the embeddings, a colour and a symbol for each regime."""
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.subplots()
    held = data.labels[found.bars]
    for regime, look in enumerate(data.looks):
        x, y = found.points[held == regime].T
        axes.scatter(
            x,
            y,
            s=9,
            alpha=0.5,
            color=look.colour,
            marker=_MARKERS[look.symbol],
            label=_safe(look.name),
        )
    axes.set(xlabel=found.titles[0], ylabel=found.titles[1])
    if len(data.regimes) <= _MOST_NAMES:
        axes.legend(frameon=False, fontsize=8)
    _open(axes)
    return figure


def draw_training(data: ReportData) -> Figure:
    """Draw the curves of training by epoch."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for name, values in data.contract.training.history.items():
        grey, line = ("0.6", "--") if name.startswith(VALIDATION) else ("0.0", "-")
        epochs = range(1, len(values) + 1)
        axes.plot(epochs, values, marker=".", color=grey, linestyle=line, label=_safe(name))
    axes.set_xlabel("epoch")
    axes.legend(frameon=False)
    _open(axes)
    return figure


def _open(*axes: Any) -> None:
    for each in axes:
        each.spines[["top", "right"]].set_visible(False)


def _safe(text: object) -> str:
    """Return text as matplotlib shows it: a dollar sign begins no formula."""
    return str(text).replace("$", r"\$")
