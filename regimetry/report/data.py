"""All that a report shows, gathered once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import (
    Alarms,
    Analysis,
    Performance,
    Spells,
    analyse_labels,
    novelty_alarms,
    performances,
    spells_of,
)
from regimetry.analysis.price import find_price
from regimetry.contract import ModelContract
from regimetry.errors import DataError
from regimetry.report.axis import TimeAxis
from regimetry.report.colours import Look, looks_of
from regimetry.report.embedding_maps import EmbeddingMap, embedding_maps
from regimetry.report.recent import RecentDrift, recent_drift

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """The column that is drawn over time.

    Attributes
    ----------
    name : str
    values : ndarray of float64, shape (T,)
    note : str or None
        Why it is no price, where it is none.
    """

    name: str
    values: Floats
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReportData:
    """A table's regimes, and what is to be said of them. T bars, K regimes.

    Labels, probabilities and novelty of bar t know bars up to t; all that is counted over them
    looks at every bar given.

    Attributes
    ----------
    model_name, data_name : str
        Of the two files.
    contract : ModelContract
    axis : TimeAxis
    drawn : Drawn
    labels : ndarray of int64, shape (T,)
        Negative where missing.
    probability : ndarray of float64, shape (T, K)
    novelty : ndarray of float64, shape (T,)
    spells : Spells
    analysis : Analysis
    performances : mapping of str to Performance
        By timing, "same" and "next"; empty without prices.
    maps : tuple of EmbeddingMap
    drift : RecentDrift or None
    alarms : Alarms or None
        Of novelty; ``None`` where the flags are not known.
    notes : mapping of str to str
        Why something is missing: "performance", "drift".
    """

    model_name: str
    data_name: str
    contract: ModelContract
    axis: TimeAxis
    drawn: Drawn
    labels: NDArray[np.int64]
    probability: Floats
    novelty: Floats
    spells: Spells
    analysis: Analysis
    performances: Mapping[str, Performance]
    maps: tuple[EmbeddingMap, ...]
    drift: RecentDrift | None
    alarms: Alarms | None
    notes: Mapping[str, str]

    @property
    def regimes(self) -> list[str]:
        """The regimes' names."""
        return [regime.name for regime in self.contract.regimes]

    @property
    def looks(self) -> list[Look]:
        """How the regimes are drawn; a refit that was aligned keeps its earlier model's looks."""
        return looks_of(self.regimes, self.contract.looks)


def choose_drawn(
    columns: Mapping[str, NDArray[Any]], features: tuple[str, ...], asked: str | None = None
) -> Drawn:
    """Choose what to draw: the price, or without one the first feature of the model.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (T,)
        The table's.
    features : tuple of str
        Columns that the model reads.
    asked : str or None
        What the user named.

    Raises
    ------
    DataError
        The column asked for is missing or no column of numbers, or there is none at all.
    """
    numbers = {name: values for name, values in columns.items() if values.dtype.kind in "fiu"}
    note = None
    try:
        name = find_price(numbers, asked)
    except DataError as error:
        if asked is not None:
            raise
        if not numbers:
            raise DataError("The table has no column of numbers to draw; add one.") from error
        name, note = next((n for n in features if n in numbers), next(iter(numbers))), str(error)
    return Drawn(name, numbers[name].astype(np.float64), note)


def gather(
    contract: ModelContract,
    *,
    axis: TimeAxis,
    drawn: Drawn,
    labels: NDArray[np.int64],
    probability: Floats,
    novelty: Floats,
    embedding: NDArray[np.floating],
    novel: NDArray[np.bool_] | None = None,
    model_name: str = "",
    data_name: str = "",
    bars_per_year: float = 252.0,
    breaks: NDArray[np.bool_] | None = None,
    umap: bool = False,
) -> ReportData:
    """Describe labelled bars.

    Parameters
    ----------
    contract : ModelContract
    axis, drawn, labels, probability, novelty
        T bars, as in :class:`ReportData`.
    embedding : ndarray of float, shape (N, D)
        Of the windows that end at the last N bars.
    novel : ndarray of bool, shape (T,), or None
        The flags of novelty; False where a bar has no label.
    model_name, data_name : str
    bars_per_year : float
        Annualisation factor.
    breaks : ndarray of bool, shape (T,), or None
        True where a bar does not follow the one before it.
    umap : bool
        Draw up that map as well; it needs umap-learn.

    Raises
    ------
    DataError
        No bar has a label, or the labels are of another model.
    """
    notes: dict[str, str] = {}
    k = contract.n_regimes
    analysis = analyse_labels(labels, k, probability=probability, breaks=breaks)
    by_timing: dict[str, Performance] = {}
    try:
        if drawn.note is not None:
            raise DataError(drawn.note)
        by_timing = performances(
            labels, drawn.values, k, bars_per_year=bars_per_year, breaks=breaks
        )
    except DataError as error:
        notes["performance"] = str(error)
    drift = None
    try:
        drift = recent_drift(contract, axis, labels, embedding, breaks=breaks)
    except DataError as error:
        notes["drift"] = str(error)
    return ReportData(
        model_name=model_name,
        data_name=data_name,
        contract=contract,
        axis=axis,
        drawn=drawn,
        labels=labels,
        probability=probability,
        novelty=novelty,
        spells=spells_of(labels, breaks),
        analysis=analysis,
        performances=by_timing,
        maps=embedding_maps(embedding, labels, umap=umap),
        drift=drift,
        alarms=None
        if novel is None
        else novelty_alarms(novel, labels, breaks=breaks, times=axis.times),
        notes=notes,
    )
