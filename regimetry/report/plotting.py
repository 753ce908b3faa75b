"""Figures for a notebook, by matplotlib: axes in, axes out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError, DataError, InstallError
from regimetry.report.axis import TimeAxis
from regimetry.report.colours import looks_of
from regimetry.report.data import Drawn, choose_drawn
from regimetry.runtime.given import Given, as_given
from regimetry.runtime.labelling import at_bars
from regimetry.runtime.recursion import Recursion
from regimetry.series.frames import columns_of, holds_numbers
from regimetry.series.plain_frames import is_frame, plain
from regimetry.series.time_options import TimeKeywords, TimeOptions

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot(
    model: Any,
    data: Any,
    ax: Axes | None = None,
    *,
    column: str | None = None,
    **time: Unpack[TimeKeywords],
) -> Axes:
    """Draw one series over time, each step in the colour of the regime of the bar it leads to.

    The labels are causal: the colour of bar t knows bars up to t.

    Parameters
    ----------
    model : RegimeModel or fitted RegimeDetector
    data : array (T, F) or frame
        As for :meth:`~regimetry.RegimeModel.predict`.
    ax : matplotlib Axes or None
        Where to draw; ``None`` makes a figure by pyplot.
    column : str or None
        Which column to draw; ``None`` takes the price, or else the first that the model reads.
    **time
        ``time_column``, ``day_first``, ``time_format`` of frames.

    Returns
    -------
    matplotlib Axes
        With a line collection of T - 1 steps.

    Raises
    ------
    DataError
        The data do not fit the model, are of several instruments, or have no such column.
    InstallError
        matplotlib is not installed.
    """
    axes = _axes(ax)
    from regimetry.report.pictures import draw_axis, draw_series

    model = getattr(model, "model_", model)
    contract, given = (
        model.contract,
        as_given(data, model.contract, rules=model.rules, time=TimeOptions(**time)),
    )
    if given.panel.instruments is not None and len(set(given.panel.instruments)) > 1:
        raise DataError(
            f"The data are of {len(set(given.panel.instruments))} instruments; one figure shows "
            "one. Give the rows of one of them."
        )
    distance = model.outputs_of(given.read, ("distance",))["distance"]
    labels = Recursion.of(contract).labels(distance, given.boundaries)
    axis = _time_axis(given)
    looks = looks_of([regime.name for regime in contract.regimes], contract.looks)
    drawn = _drawn(given, model.schema.feature_names, column)
    draw_series(axes, axis, drawn, at_bars(given.panel, labels, given.rows), looks)
    draw_axis(axes, axis)
    return axes


def plot_candidates(detector: Any, ax: Axes | None = None) -> Axes:
    """Draw the scores of the numbers of regimes that a fit compared, a line for each window size.

    And for each encoder, where there were two.

    The chosen one has a star. The scores look at the whole training series.

    Parameters
    ----------
    detector : fitted RegimeDetector, or RegimeModel
    ax : matplotlib Axes or None
        Where to draw; ``None`` makes a figure by pyplot.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ConfigError
        Window size and number of regimes were given to the fit, so nothing was compared.
    InstallError
        matplotlib is not installed.
    """
    model = getattr(detector, "model_", detector)
    scored = [entry for entry in model.contract.training.candidates if entry.score is not None]
    if not scored:
        raise ConfigError(
            "The fit compared no candidates, so there are no scores to draw. Fit with window_size "
            "or n_regimes 'auto'."
        )
    axes = _axes(ax)
    for source in dict.fromkeys(entry.source for entry in scored):
        own = [entry for entry in scored if entry.source == source]
        pairs = sorted((entry.n_regimes, entry.score) for entry in own)
        label = None if own[0].window_size is None else source
        axes.plot(*np.array(pairs, dtype=np.float64).T, marker=".", label=label)
    for entry in scored:
        if entry.chosen:
            axes.plot(
                entry.n_regimes, entry.score, "*", color="black", markersize=14, label="chosen"
            )
    axes.set(xlabel="regimes", ylabel="score")
    axes.locator_params(axis="x", integer=True)
    axes.legend(frameon=False, fontsize=8)
    return axes


def _axes(ax: Axes | None) -> Axes:
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise InstallError(
            "matplotlib, which draws the figure, is not installed. Run: pip install "
            "'regimetry[report]'."
        ) from error
    return pyplot.subplots(figsize=(10, 4), layout="constrained")[1]


def _time_axis(given: Given) -> TimeAxis:
    times = given.panel.timestamps
    return TimeAxis.of(np.arange(len(given.panel.values)) if times is None else times, None)


def _drawn(given: Given, features: tuple[str, ...], asked: str | None) -> Drawn:
    data = plain(given.panel.data)
    if not is_frame(data):
        columns = dict(zip(features, given.panel.values.T, strict=True))
        return choose_drawn(columns, features, asked)
    columns = {
        name: _at_rows(given, series.to_numpy().astype(np.float64))
        for name, series in columns_of(data).items()
        if holds_numbers(series)
    }
    return choose_drawn(columns, features, asked)


def _at_rows(given: Given, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Put a column of the data, (R,), at the bars that its rows became, (T,)."""
    place = given.panel.place
    if place is None:
        return values
    found = np.full(len(given.panel.values), np.nan)
    found[place[place >= 0]] = values[place >= 0]
    return found
