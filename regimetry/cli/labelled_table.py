"""A table's causal labels as arrays, for the verbs that count them."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.cli.output import when
from regimetry.cli.progress import progress
from regimetry.errors import ConfigError
from regimetry.runtime.labelling import MISSING
from regimetry.runtime.model import Labelling, RegimeModel, load
from regimetry.series.file_options import FileOptions
from regimetry.series.table_files import Table, read_table


def label_bars(model: RegimeModel, table: Any, by: str | None = None) -> Labelling:
    """Label every row of a pandas frame, causally; frames come back."""
    with progress(len(table), "labelling", "bar") as advance:
        return model.label(table, by=by, advance=advance)


def regimes_of(model: RegimeModel, table: Any) -> NDArray[np.int64]:
    """Return the causal labels of a pandas frame as an array, -1 where missing."""
    with progress(len(table), "labelling", "bar") as advance:
        return numbers_of(model.predict(table, advance=advance))


def numbers_of(regime: Any) -> NDArray[np.int64]:
    """Return a Series of labels as an array, -1 where missing."""
    return regime.fillna(MISSING).to_numpy(dtype=np.int64)


def label_table(options: argparse.Namespace) -> tuple[RegimeModel, Table, Labelling, Any]:
    """Open --model, --data and --max-gap; label the table.

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
    model = load(options.model, device=options.device)
    table = read_table(options.data, FileOptions.of(options))
    breaks = breaks_of(table.frame.index, options.max_gap)
    found = label_bars(model, table.frame)
    arrays = found._replace(
        regime=numbers_of(found.regime),
        probability=found.probability.to_numpy(dtype=np.float64),
        novelty=found.novelty.to_numpy(dtype=np.float64),
    )
    return model, table, arrays, breaks


def breaks_of(index: Any, max_gap: str | None) -> NDArray[np.bool_] | None:
    """Say of each bar whether it comes later than ``max_gap`` after the one before.

    Raises
    ------
    ConfigError
        The gap is no duration (no number where the index counts), or not positive.
    """
    import pandas as pd

    if max_gap is None:
        return None
    has_times = isinstance(index, pd.DatetimeIndex)
    try:
        limit: Any = pd.Timedelta(max_gap) if has_times else float(max_gap)
    except ValueError as error:
        kind = "a duration such as 5D" if has_times else "a number"
        raise ConfigError(f"max-gap is {max_gap!r}; it must be {kind}.") from error
    if not limit > limit * 0:
        raise ConfigError(f"max-gap is {max_gap!r}; it must be above 0.")
    return (index.to_series().diff() > limit).to_numpy()


def rows_and_span(index: Any) -> dict[str, Any]:
    """Return rows, first and last time of an index; the times are text."""
    return {"rows": len(index), "start": when(index[0]), "end": when(index[-1])}
