"""What every series must be: a matrix of real numbers, finite, in rising time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regimetry.errors import DataError

BLOCK_ROWS = 1 << 16
"""Rows that a check looks at together: a memory-mapped series passes through, a block a time."""


def as_matrix(data: ArrayLike) -> NDArray[np.floating]:
    """Return ``data`` as a float matrix (T, F), without a copy if it is one of float32 or float64.

    Raises
    ------
    DataError
        Not two-dimensional, not real numbers, or an array that names its coordinates.
    """
    if hasattr(data, "dims") and hasattr(data, "coords"):
        raise DataError(
            f"The data are a {type(data).__name__} with coordinates, which an array would lose. "
            "Give data.to_pandas(), a frame, or data.values if the order of rows and columns is "
            "the model's."
        )
    try:
        array = unmasked(data)
    except ValueError as error:  # numpy's words for rows of different lengths
        raise DataError(
            "The data are no matrix: their rows have different lengths, or hold lists. Give one "
            "number for each row and column."
        ) from error
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


def unmasked(data: ArrayLike) -> NDArray[Any]:
    """Return ``data`` as an array; what is masked is missing, NaN."""
    if isinstance(data, np.ma.MaskedArray):
        wide: Any = data.astype(np.result_type(data.dtype, np.float32))
        return np.asarray(wide.filled(np.nan))
    return np.asarray(data)


def require_finite(
    values: NDArray[np.floating], names: tuple[str, ...], timestamps: NDArray[Any] | None = None
) -> None:
    """Raise :class:`DataError` naming the first row and column that no finite float32 holds."""
    for first in range(0, len(values), BLOCK_ROWS):
        with np.errstate(over="ignore"):
            finite = np.isfinite(values[first : first + BLOCK_ROWS].astype(np.float32, copy=False))
        if finite.all():
            continue
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        row += first
        when = "" if timestamps is None else f" ({timestamps[row]})"
        raise DataError(
            f"Row {row}{when}, column {names[column]!r} holds {values[row, column]}; every value "
            "must be finite, below 3.4e38. Fill the gap or leave the row or the column out."
        )


def require_rising(timestamps: NDArray[Any]) -> None:
    """Raise :class:`DataError` naming the first row whose timestamp falls or repeats."""
    rises = timestamps[1:] > timestamps[:-1]
    if rises.all():
        return
    same = timestamps[1:] == timestamps[:-1]
    row = int(np.argmin(rises) if rises.any() or not same.any() else np.argmax(same)) + 1
    repeats = timestamps[row] == timestamps[row - 1]
    raise DataError(
        f"Row {row} {'repeats the time' if repeats else 'goes back in time to'} {timestamps[row]}"
        f"{'' if repeats else f' after {timestamps[row - 1]}'}; timestamps must rise. "
        f"{'Keep one row per time.' if repeats else 'Sort the rows.'}"
    )
