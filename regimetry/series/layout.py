"""Which columns of a frame a model reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regimetry.errors import DataError
from regimetry.series.frames import (
    holds_numbers,
    native_of,
    reads_as_number,
    refuse_text,
    require_columns,
)
from regimetry.series.schema import Column, Schema


def layout_of(
    frame: Any,
    *,
    columns: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    exclude: Sequence[str | None] = (),
) -> tuple[Schema, tuple[str, ...]]:
    """Decide which columns of a frame a model reads.

    Parameters
    ----------
    frame : pandas or polars DataFrame
    columns : sequence of str or None
        The columns to read, in this order; ``None`` takes all that are numbers or booleans.
    categorical : sequence of str
        Columns whose values are names; each value becomes a feature.
    exclude : sequence of str or None
        Columns that are not features, such as the time.

    Returns
    -------
    schema : Schema
        Columns that a model can read.
    left_out : tuple of str
        Columns that are neither numbers nor declared categorical.

    Raises
    ------
    DataError
        A named column is missing, or no column is left.
    """
    native = native_of(frame)
    require_columns([*(columns or ()), *categorical], native.columns)
    wanted = [*columns] if columns is not None else list(native.columns)
    wanted += [name for name in categorical if name not in wanted]
    chosen: list[Column] = []
    left_out: list[str] = []
    for name in wanted:
        if name in exclude:
            continue
        series = native[name]
        if name in categorical:
            values = sorted({str(value) for value in series.drop_nulls().to_list()})
            chosen.append(Column(name, tuple(values)))
        elif holds_numbers(series):
            chosen.append(Column(str(name)))
        elif columns is not None or _is_mostly_numbers(series):
            refuse_text(series, str(name))
        else:
            left_out.append(str(name))
    if not chosen:
        raise DataError(
            f"There is no numeric column among {', '.join(map(str, native.columns))}; one is "
            "needed."
        )
    return Schema(tuple(chosen)), tuple(left_out)


def _is_mostly_numbers(series: Any) -> bool:
    """Return whether a column of text looks like numbers with something among them."""
    values = series.drop_nulls().to_list()
    return sum(map(reads_as_number, values)) > len(values) / 2
