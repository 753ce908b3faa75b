"""The open bin of a live series whose rows are gathered in bins of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.runtime.snapshots import entry


class Bin(NamedTuple):
    """The rows of a bin so far.

    Attributes
    ----------
    number : int
        Counted from 1970.
    border : bool
        Whether a gap in time lies before it.
    sums : ndarray of float64, shape (F,)
        Of the values that came; the last ones, of a series that takes those.
    counts : ndarray of int64, shape (F,)
        How many came.
    """

    number: int
    border: bool
    sums: NDArray[np.float64]
    counts: NDArray[np.int64]

    @classmethod
    def empty(cls, number: int, n_columns: int, *, border: bool) -> Self:
        """Return a bin without rows."""
        return cls(number, border, np.zeros(n_columns), np.zeros(n_columns, np.int64))

    def with_row(self, values: NDArray[np.float64], how: str) -> Self:
        """Return the bin with one more row (F,), NaN where missing."""
        there = ~np.isnan(values)
        sums = self.sums + values if how == "mean" else values
        return self._replace(sums=np.where(there, sums, self.sums), counts=self.counts + there)

    def row(self, how: str) -> NDArray[np.float64]:
        """Return what stands for the bin, NaN where a column had no value."""
        values = self.sums / np.maximum(self.counts, 1) if how == "mean" else self.sums
        return np.where(self.counts > 0, values, np.nan)


def bin_state(current: Bin | None) -> dict[str, Any]:
    """Return the entries of a snapshot; none without a bin."""
    if current is None:
        return {}
    return {
        "bin": current.number,
        "bin_border": current.border,
        "bin_sums": current.sums.copy(),
        "bin_counts": current.counts.copy(),
    }


def bin_of(snapshot: Mapping[str, Any], n_columns: int) -> Bin | None:
    """Return the bin that :func:`bin_state` wrote; :class:`DataError` where it cannot be one."""
    if "bin" not in snapshot:
        return None
    sums, counts = (np.array(entry(snapshot, f"bin_{name}")) for name in ("sums", "counts"))
    sound = sums.shape == counts.shape == (n_columns,)
    if not sound or sums.dtype != np.float64 or counts.dtype != np.int64:
        raise DataError("The snapshot's open bin is damaged. Restore an unchanged snapshot.")
    border = bool(entry(snapshot, "bin_border"))
    return Bin(int(entry(snapshot, "bin")), border, sums, counts)
