"""Windows of several series, one after the other: none crosses from one series into the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Windows:
    """Windows of several series, each in time order and at stride 1, numbered through.

    Parameters
    ----------
    series : sequence of ndarray of float, shape (N_i, W, F)
        One array a series, of any lengths; views will do, and stay views.

    Attributes
    ----------
    series : list of ndarray
    offsets : ndarray of int64, shape (I + 1,)
        Number of each series' first window, and N.
    """

    def __init__(self, series: Sequence[NDArray[Any]]) -> None:
        self.series = list(series)
        self.offsets = np.cumsum([0, *(len(windows) for windows in self.series)])

    @classmethod
    def of(cls, windows: Windows | NDArray[Any]) -> Windows:
        """Return ``windows``, those of one series as a list of one."""
        return windows if isinstance(windows, Windows) else cls([windows])

    def __len__(self) -> int:
        return int(self.offsets[-1])

    @property
    def shape(self) -> tuple[int, int, int]:
        """(N, W, F)."""
        return len(self), *self.series[0].shape[1:]

    def last(self, rows: int) -> Windows:
        """Return the same windows with their last rows alone, views."""
        return Windows([windows[:, -rows:] for windows in self.series])

    def rows(self) -> list[NDArray[Any]]:
        """Return the rows (N_i + W - 1, F) of each series that has windows."""
        return [
            np.concatenate([windows[0], windows[1:, -1]]) for windows in self.series if len(windows)
        ]

    @property
    def begins(self) -> NDArray[np.bool_]:
        """Which windows (N,) are the first of their series: they follow no other."""
        return begins_of(self.offsets)

    def with_later(self, bars: int) -> NDArray[np.int64]:
        """Return the numbers of the windows whose series has a window ``bars`` bars later."""
        return with_later(self.offsets, bars)

    def take(self, numbers: NDArray[np.int64]) -> NDArray[Any]:
        """Return a copy of the windows of these numbers, (len(numbers), W, F)."""
        if len(self.series) == 1:
            return np.asarray(self.series[0][numbers])
        owner = np.searchsorted(self.offsets, numbers, side="right") - 1
        taken = np.empty((len(numbers), *self.series[0].shape[1:]), self.series[0].dtype)
        for one in np.unique(owner):
            mine = owner == one
            taken[mine] = self.series[one][numbers[mine] - self.offsets[one]]
        return taken

    def map(self, function: Callable[[NDArray[Any]], NDArray[Any]]) -> NDArray[Any]:
        """Apply a function to the windows of each series, and join what it gives for each."""
        return np.concatenate([function(windows) for windows in self.series])


def begins_of(offsets: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which places (N,) are the first of their series.

    ``offsets`` (I + 1,) are boundaries of series that lie one after the other.
    """
    marks = np.zeros(int(offsets[-1]) + 1, dtype=np.bool_)  # an empty series may begin at the end
    marks[offsets[:-1]] = True
    return marks[:-1]


def with_later(offsets: NDArray[np.int64], bars: int) -> NDArray[np.int64]:
    """Return the places of which the one ``bars`` later is of the same series, (n,).

    ``offsets`` (I + 1,) are boundaries of series that lie one after the other.
    """
    return np.concatenate([np.arange(a, max(a, b - bars)) for a, b in pairwise(offsets.tolist())])


def balanced_counts(lengths: Sequence[int] | NDArray[np.int64], total: int) -> NDArray[np.int64]:
    """Share ``total`` out evenly: each series gives as much as another, or all it has.

    Parameters
    ----------
    lengths : sequence of int, shape (I,)
        What each series has.
    total : int

    Returns
    -------
    ndarray of int64, shape (I,)
        At most ``lengths``; the sum is ``total``, or that of ``lengths`` if it is less. Of a
        remainder that cannot be shared the earlier series get one more.
    """
    have = np.asarray(lengths, dtype=np.int64)
    given = np.zeros_like(have)
    left = min(int(total), int(have.sum()))
    while left > 0:
        wanting = np.flatnonzero(given < have)
        each = max(1, left // len(wanting))
        wanting = wanting[:left] if each == 1 else wanting
        more = np.minimum(each, (have - given)[wanting])
        given[wanting] += more
        left -= int(more.sum())
    return given
