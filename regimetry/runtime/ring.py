"""The last rows of one live series, which its owner numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Ring:
    """Room for the last R rows and for the one that comes next.

    The owner says which row is which, so writing row t changes nothing that a reader of the rows
    before it can see: a row counts once the owner counts it, and until then may be written again.
    Each row lies in two places, R + 1 apart, so that any R rows lie together.

    Parameters
    ----------
    rows : int
        R.
    columns : int
        C.
    dtype : dtype
        What the rows are kept as.
    """

    def __init__(self, rows: int, columns: int, dtype: DTypeLike) -> None:
        self.rows = rows
        self._slots = np.zeros((2 * rows + 2, columns), dtype)

    def put(self, number: int, row: NDArray[np.floating]) -> None:
        """Write row ``number`` (C,), counted from 0."""
        slot = number % (self.rows + 1)
        self._slots[slot] = self._slots[slot + self.rows + 1] = row

    def last(self, end: int, count: int) -> NDArray[np.floating]:
        """View the ``count`` rows before row ``end``, (count, C), oldest first; at most R."""
        first = (end - count) % (self.rows + 1)
        return self._slots[first : first + count]
