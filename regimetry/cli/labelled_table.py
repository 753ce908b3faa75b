"""A table's causal labels as arrays, for the verbs that count them."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.cli.output import when
from regimetry.cli.progress import progress
from regimetry.runtime.labelling import MISSING
from regimetry.runtime.model import Labelling, RegimeModel, load
from regimetry.series.file_options import FileOptions
from regimetry.series.rules import ReadingRules
from regimetry.series.segments import borders_of
from regimetry.series.table_files import Table, read_table


def label_bars(model: RegimeModel, table: Any, by: str | None = None) -> Labelling:
    """Label every row of a pandas frame, causally; frames come back."""
    with progress(len(table), "labelling", model.contract.unit) as advance:
        return model.label(table, by=by, advance=advance)


def regimes_of(model: RegimeModel, table: Any) -> NDArray[np.int64]:
    """Return the causal labels of a pandas frame as an array, -1 where missing."""
    with progress(len(table), "labelling", model.contract.unit) as advance:
        return numbers_of(model.predict(table, advance=advance))


def numbers_of(regime: Any) -> NDArray[np.int64]:
    """Return a Series of labels as an array, -1 where missing."""
    return regime.fillna(MISSING).to_numpy(dtype=np.int64)


def label_table(options: argparse.Namespace) -> tuple[RegimeModel, Table, Labelling, Any]:
    """Open model and data; label the table.

    Returns
    -------
    model : RegimeModel
    table : Table
        T rows.
    found : Labelling
        Arrays; the labels are -1 where missing.
    breaks : ndarray of bool, shape (T,), or None
        As for :func:`breaks_of`.
    """
    model = opened(options)
    table = read_table(options.data, FileOptions.of(options, model.rules.repeated))
    breaks = breaks_of(table.frame.index, model.rules)
    found = label_bars(model, table.frame)
    arrays = found._replace(
        regime=numbers_of(found.regime),
        probability=found.probability.to_numpy(dtype=np.float64),
        novelty=found.novelty.to_numpy(dtype=np.float64),
        novel=found.novel.fillna(value=False).to_numpy(dtype=np.bool_),
    )
    return model, table, arrays, breaks


def opened(options: argparse.Namespace, *, threads: int | None = None) -> RegimeModel:
    """Open the model of a verb, which reads rows as the fit did, or as its options say."""
    names = ("missing", "max_fill", "max_gap", "after_gap", "repeated")
    given = {name: getattr(options, name, None) for name in names}
    settings: Any = {} if threads is None else {"threads": threads}
    model = load(options.model, device=options.device, **settings)
    return model.with_rules(**{name: one for name, one in given.items() if one is not None})


def breaks_of(index: Any, rules: ReadingRules) -> NDArray[np.bool_] | None:
    """Say of each bar whether it comes later than ``max_gap`` after the one before.

    ``None`` without a gap, and where a duration meets rows without times.

    Raises
    ------
    ConfigError
        The gap is a number and the index has times.
    """
    if rules.gap is None or (rules.gap.is_duration and index.dtype.kind != "M"):
        return None
    times = index.to_numpy()
    return borders_of(times, rules, np.array([0, len(times)]))


def rows_and_span(index: Any) -> dict[str, Any]:
    """Return rows, first and last time of an index; the times are text."""
    return {"rows": len(index), "start": when(index[0]), "end": when(index[-1])}
