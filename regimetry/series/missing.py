"""Rows with missing values, in order: left out, filled forward, and where segments begin."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

UNSEEN = 1 << 40
"""The age of a value that has not come."""

_BLOCK_ROWS = 1 << 16


class Held(NamedTuple):
    """What is known after some rows of a series.

    Attributes
    ----------
    last : ndarray of float64, shape (F,)
        The last value of each column since the last gap; NaN where none came.
    ages : ndarray of int64, shape (F,)
        Rows since then, 0 in the row itself; :data:`UNSEEN` where none came.
    open : bool
        Whether the next row goes on in the segment of the last one.
    """

    last: NDArray[np.float64]
    ages: NDArray[np.int64]
    open: bool

    @classmethod
    def nothing(cls, n_columns: int) -> Held:
        """Return what is known before any row."""
        return cls(np.full(n_columns, np.nan), np.full(n_columns, UNSEEN), False)


class ReadRows(NamedTuple):
    """T rows, read.

    Attributes
    ----------
    values : ndarray of float, shape (T, F)
        Filled where they are kept.
    keep : ndarray of bool, shape (T,)
    begins : ndarray of bool, shape (T,)
        Kept rows that do not follow the one before.
    held : Held or None
        After the last row; ``None`` of several series, whose standing is told apart.
    """

    values: NDArray[np.floating]
    keep: NDArray[np.bool_]
    begins: NDArray[np.bool_]
    held: Any


def incomplete_rows(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which rows (T, F) have a missing value, (T,); in blocks, as the series may be long."""
    found = np.zeros(len(values), np.bool_)
    for first in range(0, len(values), _BLOCK_ROWS):
        found[first : first + _BLOCK_ROWS] = np.isnan(values[first : first + _BLOCK_ROWS]).any(1)
    return found


def read_rows(
    values: NDArray[np.floating], borders: NDArray[np.bool_], fill: int, held: Held
) -> ReadRows:
    """Read the next rows of a series; row t is decided by rows up to t.

    A row is kept if each of its values is there, or came at most ``fill`` rows before and since the
    last gap. The first row that is not ends the segment: what was known is forgotten, but for what
    that row has. So does a border.

    Parameters
    ----------
    values : ndarray of float, shape (T, F)
        NaN where missing.
    borders : ndarray of bool, shape (T,)
        Rows that come after a gap in time.
    fill : int
    held : Held
        After the rows before.

    Returns
    -------
    ReadRows
    """
    count = len(values)
    if not count:
        return ReadRows(values, borders, borders, held)
    rows = np.arange(count)
    present = ~np.isnan(values)
    seen = np.where(present, rows[:, None], -1 - held.ages)  # when each value came
    seen = np.maximum.accumulate(seen, axis=0)
    oldest = seen.min(axis=1)  # rises
    fresh = rows - oldest <= fill
    keep, begins = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
    good, stale = np.append(np.flatnonzero(fresh), count), np.append(np.flatnonzero(~fresh), count)
    first, since, is_open = 0, -UNSEEN, held.open
    for end in [*np.flatnonzero(borders).tolist(), count]:
        while first < end:
            a = first
            if not is_open:
                a = max(a, int(np.searchsorted(oldest, since)))
                a = min(int(good[np.searchsorted(good, a)]), end) if a < end else end
            b = min(int(stale[np.searchsorted(stale, a)]), end)
            keep[a:b] = True
            begins[a:b][:1] = not is_open
            is_open = b == end and b > a
            if b < end:
                since = b
            first = b
        if end < count:
            since, is_open = end, False
    known = seen[-1] >= since
    ages = np.where(known, count - 1 - seen[-1], UNSEEN)
    last = np.where(known, _values_at(values, seen[-1], np.arange(len(ages)), held), np.nan)
    holes, columns = np.nonzero(~present & keep[:, None])
    if len(holes):
        values = values.copy()
        values[holes, columns] = _values_at(values, seen[holes, columns], columns, held)
    return ReadRows(values, keep, begins, Held(last, ages, is_open))


def _values_at(
    values: NDArray[np.floating], rows: NDArray[np.int64], columns: NDArray[np.int64], held: Held
) -> NDArray[np.floating]:
    """Return values of these rows, which lie before the first where the number is negative."""
    return np.asarray(np.where(rows >= 0, values[np.maximum(rows, 0), columns], held.last[columns]))
