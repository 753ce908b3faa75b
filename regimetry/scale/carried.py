"""What is carried from one chunk to the next, for each instrument."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from regimetry.series.spans import ranges
from regimetry.series.standing import Standing

_Kind = TypeVar("_Kind", bound=np.generic)


class Carried:
    """One place per instrument in four slabs, which grow as instruments appear.

    Parameters
    ----------
    rows : int
        Rows that a label needs.
    n_columns, n_regimes : int

    Attributes
    ----------
    numbers : dict of str to int
        The place of each instrument.
    seen : ndarray of int64, shape (M,)
        Rows that have come.
    labelled : ndarray of int64, shape (M,)
        Those that have a label.
    standing : Standing
        Where the reading of each stands.
    costs : ndarray of float64, shape (M, K)
        Of the jump recursion; from 0 it gives V_0 = d_0, as it does at the beginning.
    means : ndarray of float64, shape (M,)
        Running mean of novelty.
    """

    def __init__(self, rows: int, n_columns: int, n_regimes: int) -> None:
        self._reach = rows - 1
        self.numbers: dict[str, int] = {}
        self.seen, self.labelled = np.empty(0, np.int64), np.empty(0, np.int64)
        self.standing = Standing.begin(0, n_columns)
        self.costs = np.empty((0, n_regimes))
        self.means = np.empty(0)
        # The last rows - 1 of each instrument, or fewer at the end of its place.
        self._tails = np.empty((0, n_columns))

    def places(self, names: Sequence[str]) -> NDArray[np.int64]:
        """Return the place of each instrument, a new one where it is new."""
        places = [self.numbers.setdefault(name, len(self.numbers)) for name in names]
        if len(self.numbers) > len(self.seen):
            more = 2 * len(self.numbers) - len(self.seen)
            self.seen = _longer(self.seen, more, 0)
            self.labelled = _longer(self.labelled, more, 0)
            self.standing = self.standing.longer(more)
            self.costs = _longer(self.costs, more, 0.0)
            self.means = _longer(self.means, more, np.nan)
            self._tails = _longer(self._tails, more * self._reach, 0.0)
        return np.array(places, dtype=np.int64)

    def before(
        self,
        places: NDArray[np.int64],
        counts: NDArray[np.int64],
        values: NDArray[np.floating],
        begins: NDArray[np.bool_],
    ) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
        """Stack for each segment the rows kept of its instrument, if it goes on, and its new ones.

        Parameters
        ----------
        places : ndarray of int64, shape (S,)
            Of the instrument of each segment.
        counts : ndarray of int64, shape (S,)
            New rows of each segment, which lie one after the other in ``values``.
        values : ndarray, shape (n, F)
        begins : ndarray of bool, shape (S,)
            Segments that begin here.

        Returns
        -------
        stacked : ndarray of float64, shape (n + kept.sum(), F)
        bounds : ndarray of int64, shape (S + 1,)
            Where each segment begins, and the end.
        kept : ndarray of int64, shape (S,)
            How many rows of each were kept: one fewer than a label needs, at most.
        """
        kept = np.where(begins, 0, np.minimum(self.standing.kept[places], self._reach))
        bounds = np.concatenate([[0], np.cumsum(kept + counts)])
        stacked = np.empty((bounds[-1], values.shape[1]))
        stacked[ranges(bounds[:-1] + kept, counts)] = values
        tails = ranges((places + 1) * self._reach - kept, kept)
        stacked[ranges(bounds[:-1], kept)] = self._tails[tails]
        return stacked, bounds, kept

    def keep(
        self, places: NDArray[np.int64], stacked: NDArray[np.float64], bounds: NDArray[np.int64]
    ) -> None:
        """Keep of each instrument of a stack the last rows that its next label needs.

        They are those of its last segment.
        """
        ends = np.append(places[1:] != places[:-1], True)[: len(places)]
        last = np.minimum(np.diff(bounds), self._reach)[ends]
        tails = ranges((places[ends] + 1) * self._reach - last, last)
        self._tails[tails] = stacked[ranges(bounds[1:][ends] - last, last)]


def _longer(array: NDArray[_Kind], more: int, filling: float) -> NDArray[_Kind]:
    return np.concatenate([array, np.full((more, *array.shape[1:]), filling, array.dtype)])
