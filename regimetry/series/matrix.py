"""What every series must be: a matrix of real numbers, finite, in rising time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regimetry.errors import DataError
from regimetry.series.plain_frames import require_no_coordinates

BLOCK_ROWS = 1 << 16
"""Rows that a check looks at together: a memory-mapped series passes through, a block a time."""


def as_matrix(data: ArrayLike) -> NDArray[np.floating]:
    """Return ``data`` as a float matrix (T, F), without a copy if it is one of float32 or float64.

    Raises
    ------
    DataError
        Not two-dimensional, not real numbers, or an array that names its coordinates.
    """
    require_no_coordinates(data)
    try:
        array = unmasked(data)
    except ValueError as error:  # rows of several lengths
        raise DataError(f"The data are no matrix ({error}); give T rows of F numbers.") from error
    if array.dtype.names is not None:
        raise DataError(
            f"The data have the fields {', '.join(array.dtype.names)}; give pandas.DataFrame(data)."
        )
    if array.ndim != 2:
        raise DataError(
            f"The data have shape {array.shape}; a matrix of T rows and F columns is needed. "
            "For one column use values.reshape(-1, 1), or series.to_frame()."
        )
    if array.dtype.kind not in "fiub":
        raise DataError(
            f"The data are of type {array.dtype}; real numbers are needed. Of objects that are "
            "numbers, data.astype(float) makes them."
        )
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
    values: NDArray[np.floating],
    names: tuple[str, ...],
    timestamps: NDArray[Any] | None = None,
    *,
    with_missing: bool = False,
) -> None:
    """Raise :class:`DataError` naming the first row and column that no finite float32 holds.

    ``with_missing``: NaN is a missing value, which is dealt with elsewhere.
    """
    for first in range(0, len(values), BLOCK_ROWS):
        with np.errstate(over="ignore"):
            block = values[first : first + BLOCK_ROWS].astype(np.float32, copy=False)
        finite = np.isfinite(block)
        if with_missing and not finite.all():
            finite |= np.isnan(block)
        if finite.all():
            continue
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        row += first
        when = "" if timestamps is None else f" ({timestamps[row]})"
        raise DataError(
            f"Row {row}{when}, column {names[column]!r} holds {values[row, column]}; every value "
            "must be finite, below 3.4e38. Fill the gap or leave the row or the column out."
        )


def require_rising(
    timestamps: NDArray[Any], *, repeated: bool = False, by: str | None = None
) -> None:
    """Raise :class:`DataError` naming the first row whose timestamp falls or repeats.

    ``repeated``: they may repeat. ``by`` is the column that seems to name instruments, if any.
    """
    same, falls = timestamps[1:] == timestamps[:-1], timestamps[1:] < timestamps[:-1]
    if not falls.any() and (repeated or not same.any()):
        return
    falling = not (timestamps[1:] > timestamps[:-1]).any()
    fault = falls if repeated else same if falling and same.any() else falls | same
    row = int(np.argmax(fault)) + 1
    several = f"If {by!r} names instruments, say so (--by {by}, by={by!r})." if by else ""
    if same[row - 1]:
        raise DataError(
            f"Row {row} repeats the time {timestamps[row]}; timestamps must rise. "
            f"{several or 'If the rows are of several instruments, name their column (--by).'} If "
            "all are of one series, keep them in their order: --repeated keep, repeated='keep'."
        )
    raise DataError(
        f"Row {row} goes back in time to {timestamps[row]} after {timestamps[row - 1]}; "
        f"timestamps must rise. {several or 'Sort the rows.'}"
    )
