"""The last rows of one live series, which its owner numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Ring:
    """Room for the last R rows and for the one that comes next.

    The owner says which row is which, so writing row t changes nothing that a reader of the rows
    before it can see: a row counts once the owner counts it, and until then may be written again.
    The first R slots lie behind the last one again, so that any R rows lie together.

    Parameters
    ----------
    rows : int
        R.
    columns : int
        C.
    dtype : dtype
        What the rows are kept as.
    spare : int
        Rows that may come before the owner counts any of them.
    """

    def __init__(self, rows: int, columns: int, dtype: DTypeLike, spare: int = 1) -> None:
        self.rows, self.columns = rows, columns
        self._size = 8 * rows + spare  # so that few rows lie in two places
        self._slots = np.zeros((self._size + rows, columns), dtype)

    def put(self, number: int, row: NDArray[np.floating]) -> None:
        """Write row ``number`` (C,), counted from 0."""
        slot = number % self._size
        self._slots[slot] = row
        if slot < self.rows:
            self._slots[slot + self._size] = row

    def last(self, end: int, count: int) -> NDArray[np.floating]:
        """View the ``count`` rows before row ``end``, (count, C), oldest first; at most R."""
        first = (end - count) % self._size
        return self._slots[first : first + count]
