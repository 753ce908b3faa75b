"""Where the reading of many live series stands, and how it goes on."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from regimetry.series.gaps import apart
from regimetry.series.missing import UNSEEN, Held, ReadRows, incomplete_rows, read_rows
from regimetry.series.rules import ReadingRules

_SECOND = 1_000_000_000
_NARROW = 6  # numbers of a series besides those of its columns


class Standing(NamedTuple):
    """What is known of M series after some rows of each.

    Attributes
    ----------
    last : ndarray of float64, shape (M, F)
    ages : ndarray of int64, shape (M, F)
    open : ndarray of bool, shape (M,)
        As for :class:`~regimetry.series.missing.Held`.
    kept : ndarray of int64, shape (M,)
        Rows that were kept since the last gap.
    begun : ndarray of bool, shape (M,)
        Whether a row was ever kept.
    absent : ndarray of int64, shape (M, F)
        Rows in which each value was missing, up to the last; 0 where that has it.
    times : ndarray, shape (M,)
        Of the last row; NaT or NaN where there is none.
    """

    last: NDArray[Any]
    ages: NDArray[Any]
    open: NDArray[Any]
    kept: NDArray[Any]
    begun: NDArray[Any]
    absent: NDArray[Any]
    times: NDArray[Any]

    @classmethod
    def begin(cls, n_series: int, n_columns: int) -> Self:
        """Return the standing of series without rows."""
        shape = (n_series, n_columns)
        return cls(
            np.full(shape, np.nan),
            np.full(shape, UNSEEN),
            np.zeros(n_series, np.bool_),
            np.zeros(n_series, np.int64),
            np.zeros(n_series, np.bool_),
            np.zeros(shape, np.int64),
            np.full(n_series, np.datetime64("NaT", "ns")),
        )

    def of(self, places: NDArray[np.int64]) -> Self:
        """Return a copy of the standing of these series."""
        return type(self)(*(array[places] for array in self))

    def put(self, places: NDArray[np.int64], new: Self) -> Self:
        """Return the standing with that of these series replaced."""
        merged = []
        for old, mine in zip(self, new, strict=True):
            # Times may be numbers, where none came before.
            same = old.dtype.kind == mine.dtype.kind
            changed = old.copy() if same else np.full(len(old), np.nan)
            changed[places] = mine
            merged.append(changed)
        return type(self)(*merged)

    def numbers(self) -> NDArray[np.float64]:
        """Return the standing as one array (M, S), which :meth:`of_numbers` reads."""
        dated = np.full(len(self.open), self.times.dtype.kind == "M")
        if dated.any():
            moments = self.times.astype("datetime64[ns]").astype(np.int64)
            whole, rest = np.divmod(moments, _SECOND)
            whole = np.where(np.isnat(self.times), np.nan, whole)
        else:
            whole, rest = self.times, np.zeros(len(dated))
        narrow = (self.open, self.kept, self.begun, dated, whole, rest)
        return np.column_stack([self.last, self.ages, self.absent, *narrow]).astype(np.float64)

    @classmethod
    def of_numbers(cls, numbers: NDArray[np.float64]) -> Self:
        """Return the standing whose :meth:`numbers` (M, S) these are."""
        wide = (numbers.shape[1] - _NARROW) // 3
        last, old, lacking = np.split(numbers[:, : 3 * wide], 3, axis=1)
        is_open, kept, begun, dated, whole, rest = numbers[:, 3 * wide :].T
        times: NDArray[Any] = whole
        if dated.all():
            there = ~np.isnan(whole)
            moments = np.where(there, whole, 0).astype(np.int64) * _SECOND + rest.astype(np.int64)
            times = np.where(there, moments.astype("datetime64[ns]"), np.datetime64("NaT"))
        ages, absent, kept_rows = (one.astype(np.int64) for one in (old, lacking, kept))
        return cls(last, ages, is_open > 0, kept_rows, begun > 0, absent, times)

    def longer(self, more: int) -> Self:
        """Return the standing with ``more`` new series behind."""
        new = self.begin(more, self.last.shape[1])
        times = new.times if self.times.dtype.kind == "M" else np.full(more, np.nan)
        new = new._replace(times=times)
        return type(self)(*(np.concatenate(pair) for pair in zip(self, new, strict=True)))

    def read(
        self,
        values: NDArray[np.floating],
        offsets: NDArray[np.int64],
        times: NDArray[Any] | None,
        rules: ReadingRules,
    ) -> tuple[ReadRows, Self]:
        """Read the next rows of each series, as a whole table of it would be read.

        Parameters
        ----------
        values : ndarray of float, shape (n, F)
            NaN where missing and allowed to be.
        offsets : ndarray of int64, shape (M + 1,)
            First row of each series, and n.
        times : ndarray, shape (n,), or None
        rules : ReadingRules

        Returns
        -------
        read : ReadRows
            Of the n rows; without ``held``.
        standing : Standing
            After them.
        """
        borders, last_times = self._borders(offsets, times, rules)
        first, ends = offsets[:-1], offsets[1:]
        some = ends > first
        incomplete = incomplete_rows(values)
        if borders.any() or incomplete.any():
            found, held = self._read_each(values, offsets, borders, rules)
        else:
            begins = np.zeros(len(values), np.bool_)
            begins[first[some]] = ~self.open[some]
            found = ReadRows(values, np.ones(len(values), np.bool_), begins, None)
            last, ages = self.last.copy(), self.ages.copy()
            last[some], ages[some] = values[ends[some] - 1], 0
            held = (last, ages, self.open | some)
        kept, begun = self._counted(offsets, found)
        absent = np.where(some[:, None], 0, self.absent)
        if incomplete.any():
            absent = self._absent(values, offsets)
        last, ages, is_open = held
        return found, type(self)(last, ages, is_open, kept, begun, absent, last_times)

    def _borders(
        self, offsets: NDArray[np.int64], times: NDArray[Any] | None, rules: ReadingRules
    ) -> tuple[NDArray[np.bool_], NDArray[Any]]:
        """Return which rows come after a gap in time, and the last time of each series."""
        borders = np.zeros(int(offsets[-1]), np.bool_)
        if rules.gap is None or times is None or not len(times):
            return borders, self.times
        limit = rules.gap.of(times, "max_gap")
        borders[1:] = apart(times[:-1], times[1:]) > limit
        some = np.diff(offsets) > 0
        first = offsets[:-1][some]
        last = self.times
        if times.dtype.kind not in (last.dtype.kind, "M"):
            last = np.full(len(last), np.nan)
        borders[first] = apart(last[some], times[first]) > limit
        moved = last.astype(times.dtype) if times.dtype.kind == "M" else last.copy()
        moved[some] = times[offsets[1:][some] - 1]
        return borders, moved

    def _read_each(
        self,
        values: NDArray[np.floating],
        offsets: NDArray[np.int64],
        borders: NDArray[np.bool_],
        rules: ReadingRules,
    ) -> tuple[ReadRows, tuple[NDArray[Any], ...]]:
        last, ages, is_open = held = self.last.copy(), self.ages.copy(), self.open.copy()
        found = []
        for number, (a, b) in enumerate(pairwise(offsets.tolist())):
            mine = Held(self.last[number], self.ages[number], bool(self.open[number]))
            one = read_rows(values[a:b], borders[a:b], rules.fill, mine)
            last[number], ages[number], is_open[number] = one.held
            found.append(one)
        filled, keep, begins = (np.concatenate([one[i] for one in found]) for i in range(3))
        return ReadRows(filled, keep, begins, None), held

    def _absent(
        self, values: NDArray[np.floating], offsets: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        absent = self.absent.copy()
        for number, (a, b) in enumerate(pairwise(offsets.tolist())):
            there = ~np.isnan(values[a:b])[::-1]
            if b > a:
                absent[number] = np.where(
                    there.any(axis=0), there.argmax(axis=0), absent[number] + (b - a)
                )
        return absent

    def _counted(
        self, offsets: NDArray[np.int64], found: ReadRows
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return rows kept since the last gap, and whether any was ever kept."""
        kept, begun = self.kept.copy(), self.begun.copy()
        before = np.concatenate([[0], np.cumsum(found.keep)])
        new = before[offsets[1:]] - before[offsets[:-1]]
        kept += new
        begun |= new > 0
        starts = np.flatnonzero(found.begins)
        owner = np.searchsorted(offsets, starts, side="right") - 1
        kept[owner] = before[offsets[1:][owner]] - before[starts]  # the last start counts
        return kept, begun
