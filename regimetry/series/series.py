"""A checked series: finite numbers in the model's column order, in rising time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regimetry.errors import DataError
from regimetry.series.frames import is_frame, matrix_of, time_of
from regimetry.series.schema import Schema

BLOCK_ROWS = 1 << 16
"""Rows that a check looks at together: a memory-mapped series passes through, a block a time."""


@dataclass(frozen=True)
class Series:
    """T rows of F features.

    Attributes
    ----------
    values : ndarray of float32 or float64, shape (T, F)
        Finite; a view of the caller's data where their type allows it.
    timestamps : ndarray, shape (T,), or None
        Strictly rising.
    """

    values: NDArray[np.floating]
    timestamps: NDArray[Any] | None = None


def as_series(data: Any, schema: Schema) -> Series:
    """Check data against a schema.

    Parameters
    ----------
    data : array-like of shape (T, F), or pandas or polars DataFrame
        A frame's columns are found by name, an array's by position.
    schema : Schema

    Returns
    -------
    Series

    Raises
    ------
    DataError
        Columns missing or of the wrong number or kind, a value that is not finite (row and column
        named), or timestamps that fall or repeat.
    """
    if is_frame(data):
        _, timestamps = time_of(data)
        values: NDArray[np.floating] = matrix_of(data, schema)
    else:
        if any(column.categories is not None for column in schema.columns):
            raise DataError(
                "The model reads categorical columns, which an array cannot hold; give a frame "
                f"with the columns {', '.join(schema.names)}."
            )
        values, timestamps = as_matrix(data), None
        if values.shape[1] != len(schema.columns):
            raise DataError(
                f"The data have {values.shape[1]} columns; the model reads "
                f"{len(schema.columns)}: {', '.join(schema.names)}."
            )
    if timestamps is not None:
        require_rising(timestamps)
    require_finite(values, schema.feature_names, timestamps)
    return Series(values, timestamps)


def as_matrix(data: ArrayLike) -> NDArray[np.floating]:
    """Return ``data`` as a float matrix (T, F), without a copy if it is one of float32 or float64.

    Raises
    ------
    DataError
        Not two-dimensional, or not real numbers.
    """
    array = np.asarray(data)
    if array.ndim != 2:
        raise DataError(
            f"The data have shape {array.shape}; a matrix of T rows and F columns is needed. "
            "For one column use values.reshape(-1, 1)."
        )
    if array.dtype.kind not in "fiub":
        raise DataError(f"The data are of type {array.dtype}; real numbers are needed.")
    if array.dtype in (np.float32, np.float64):
        return array
    return array.astype(np.float64)


def require_finite(
    values: NDArray[np.floating], names: tuple[str, ...], timestamps: NDArray[Any] | None = None
) -> None:
    """Raise :class:`DataError` naming the first row and column that is NaN or infinite."""
    for first in range(0, len(values), BLOCK_ROWS):
        finite = np.isfinite(values[first : first + BLOCK_ROWS])
        if finite.all():
            continue
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        row += first
        when = "" if timestamps is None else f" ({timestamps[row]})"
        raise DataError(
            f"Row {row}{when}, column {names[column]!r} holds {values[row, column]}; every value "
            "must be finite. Fill the gap or leave the row or the column out."
        )


def require_rising(timestamps: NDArray[Any]) -> None:
    """Raise :class:`DataError` naming the first row whose timestamp falls or repeats."""
    rises = timestamps[1:] > timestamps[:-1]
    if rises.all():
        return
    row = int(np.argmin(rises)) + 1
    repeats = timestamps[row] == timestamps[row - 1]
    raise DataError(
        f"Row {row} {'repeats the time' if repeats else 'goes back in time to'} {timestamps[row]}"
        f"{'' if repeats else f' after {timestamps[row - 1]}'}; timestamps must rise. "
        f"{'Keep one row per time.' if repeats else 'Sort the rows.'}"
    )
