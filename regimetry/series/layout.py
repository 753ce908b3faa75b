"""Which columns of a frame a model reads."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from regimetry.errors import DataError, DataWarning
from regimetry.series.frames import (
    holds_numbers,
    is_text,
    native_of,
    numbers_of,
    require_columns,
)
from regimetry.series.numbers import is_missing, looks_like_number
from regimetry.series.schema import Column, Schema


def layout_of(
    frame: Any,
    *,
    columns: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    exclude: Sequence[str | None] = (),
) -> Schema:
    """Decide which columns of a frame a model reads.

    Parameters
    ----------
    frame : pandas or polars DataFrame
    columns : sequence of str or None
        The columns to read, in this order; ``None`` takes all that are numbers, booleans or text
        that reads as numbers, but for one that counts the rows.
    categorical : sequence of str
        Columns whose values are names; each value becomes a feature.
    exclude : sequence of str or None
        Columns that are not features, such as the time.

    Returns
    -------
    Schema
        Columns that a model can read.

    Raises
    ------
    DataError
        A named column is missing, a column of numbers holds something else, or no column is left.

    Warns
    -----
    DataWarning
        Columns are left out, or text is read as numbers.
    """
    native = native_of(frame)
    require_columns([*(columns or ()), *categorical], native.columns)
    wanted = [*columns] if columns is not None else list(native.columns)
    wanted += [name for name in categorical if name not in wanted]
    chosen: list[Column] = []
    said: dict[str, list[str]] = {}
    for name in wanted:
        if name in exclude:
            continue
        series = native[name]
        if name in categorical:
            values = sorted({str(value) for value in series.drop_nulls().to_list()})
            chosen.append(Column(name, tuple(values)))
        elif columns is None and counts_rows(series, name):
            said.setdefault("left out, since they count the rows", []).append(str(name))
        elif holds_numbers(series):
            chosen.append(Column(str(name)))
        elif columns is not None or is_mostly_numbers(series):
            numbers_of(series, str(name))
            said.setdefault("read as numbers, though they are text", []).append(str(name))
            chosen.append(Column(str(name)))
        else:
            said.setdefault("left out, since they are not numbers", []).append(str(name))
    if not chosen:
        raise DataError(
            f"There is no numeric column among {', '.join(map(str, native.columns))}; one is "
            "needed."
        )
    for what, names in said.items():
        warnings.warn(f"{what}: {', '.join(names)}", DataWarning, stacklevel=2)
    return Schema(tuple(chosen))


def counts_rows(series: Any, name: str) -> bool:
    """Return whether a column numbers the rows: integers that rise by one.

    Where a file has no name for the column, it is enough that they rise.
    """
    if not series.dtype.is_integer() or len(series) < 3 or series.is_null().any():
        return False
    steps = np.diff(series.to_numpy())
    return bool((steps > 0).all() if is_unnamed(name) else (steps == 1).all())


def is_unnamed(name: str) -> bool:
    """Return whether a column has no name; pandas counts such."""
    return not name or name.startswith("Unnamed: ")


def is_mostly_numbers(series: Any) -> bool:
    """Return whether more than half of a column of text was meant as numbers."""
    if not is_text(series):
        return False
    values = [value for value in series.drop_nulls().to_list() if not is_missing(value)]
    return sum(map(looks_like_number, values)) > len(values) / 2
