"""The rows of one push to a bank, read: which are kept, and which of them may have labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.runtime.recursion import Segments
from regimetry.series.gaps import apart
from regimetry.series.missing import incomplete_rows
from regimetry.series.rules import ReadingRules
from regimetry.series.segments import refuse, refused_rows
from regimetry.series.spans import segment_offsets
from regimetry.series.standing import Standing


class Pushed(NamedTuple):
    """What is kept of a push.

    Attributes
    ----------
    ids : ndarray of int64, shape (B,)
        Of the rows that are kept, in the order in which they came.
    values : ndarray of float, shape (B, F)
        Finite.
    labelled : ndarray of bool, shape (B,)
        Rows that find a full window since the last gap of their series.
    begins : ndarray of bool, shape (B,)
        Rows after a gap.
    series : ndarray of int64, shape (M,)
        All whose rows came, ascending.
    standing : Standing or None
        Where their reading stands now; ``None`` where the rules need none.
    places : ndarray of int64, shape (B,)
        Which rows of the push these are.
    """

    ids: NDArray[np.int64]
    values: NDArray[np.floating]
    labelled: NDArray[np.bool_]
    begins: NDArray[np.bool_]
    series: NDArray[np.int64]
    standing: Standing | None
    places: NDArray[np.int64]

    @property
    def segments(self) -> Segments:
        """The segments of these rows, by series, with their labelled rows."""
        order = np.argsort(self.ids, kind="stable")
        ids, begins = self.ids[order], self.begins[order]
        first = np.flatnonzero(begins | (np.diff(ids, prepend=-1) > 0))
        counts = np.add.reduceat(self.labelled[order].astype(np.int64), first) if len(first) else (
            np.empty(0, np.int64)
        )  # fmt: skip
        return Segments(ids[first], counts, begins[first])


def complete_rows(
    ids: NDArray[np.int64],
    values: NDArray[np.floating],
    counts: NDArray[np.int64],
    rules: ReadingRules,
    *,
    rows: int,
    names: Sequence[str],
) -> Pushed:
    """Take the rows where a missing value is refused, but for leading ones.

    Parameters
    ----------
    ids : ndarray of int64, shape (B,)
    values : ndarray of float, shape (B, F)
    counts : ndarray of int64, shape (B,)
        Rows that the series of each has seen before.
    rules : ReadingRules
    rows : int
        Of a window.
    names : sequence of str
        Of the columns.

    Raises
    ------
    DataError
        A value is missing where it must not be.
    """
    incomplete, places = incomplete_rows(values), np.arange(len(ids))
    if incomplete.any():
        _refuse_missing(ids, values, incomplete, begun=counts > 0, rules=rules, names=names)
        places = np.flatnonzero(~incomplete)
        ids, values, counts = ids[places], values[places], counts[places]
    runs, begins = counts + occurrences(ids), np.zeros(len(ids), np.bool_)
    return Pushed(ids, values, runs >= rows, begins, distinct(ids)[0], None, places)


def read_rows_of_push(
    ids: NDArray[np.int64],
    values: NDArray[np.floating],
    times: NDArray[Any] | None,
    standing: Standing,
    rules: ReadingRules,
    *,
    rows: int,
    names: Sequence[str],
) -> Pushed:
    """Read rows that may lack values or come after gaps in time.

    Parameters
    ----------
    times : ndarray, shape (B,), or None
    standing : Standing
        Of the series ``np.unique(ids)``.
    ids, values, rules, rows, names
        As for :func:`complete_rows`.

    Raises
    ------
    DataError
        A value is missing where it must not be, or times fall.
    """
    series, which = distinct(ids)
    order = np.argsort(which, kind="stable")
    offsets = segment_offsets(np.bincount(which, minlength=len(series)))
    ordered = values[order]
    moments = None if times is None else times[order]
    _require_rising(series, offsets, moments, standing, rules)
    if not rules.splits:
        begun = standing.begun[which]
        incomplete = incomplete_rows(values)
        _refuse_missing(ids, values, incomplete, begun=begun, rules=rules, names=names)
    read, after = standing.read(ordered, offsets, moments, rules)
    # Rows of each segment so far, one after the other; the first goes on from before.
    kept = np.cumsum(read.keep, dtype=np.int64)
    runs = kept + np.repeat(standing.kept - _before(kept, offsets), np.diff(offsets))
    starts = np.maximum.accumulate(np.where(read.begins, np.arange(len(runs)), -1))
    since = starts >= np.repeat(offsets[:-1], np.diff(offsets))
    runs = np.where(since, kept - kept[starts] + 1, runs)
    back = np.sort(order[read.keep])  # in the order in which they came
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    at = place[back]
    return Pushed(
        ids[back], read.values[at], runs[at] >= rows, read.begins[at], series, after, back
    )


def _refuse_missing(
    ids: NDArray[np.int64],
    values: NDArray[np.floating],
    incomplete: NDArray[np.bool_],
    *,
    begun: NDArray[np.bool_],
    rules: ReadingRules,
    names: Sequence[str],
) -> None:
    """Raise where a value is missing and must not be; ``begun``: the row's series has rows."""
    refused = np.zeros_like(incomplete)
    for one in np.unique(ids[incomplete]):
        mine = ids == one
        refused[mine] = refused_rows(incomplete[mine], rules, begun=bool(begun[mine][0]))
    refuse(values, refused, rules, names)


def _before(kept: NDArray[np.int64], offsets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how many rows were kept before each series."""
    return np.concatenate([[0], kept])[offsets[:-1]]


def occurrences(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return which row of its series each is, from 1."""
    if _rise(ids):
        return np.ones(len(ids), np.int64)
    order = np.argsort(ids, kind="stable")
    first = np.flatnonzero(np.diff(ids[order], prepend=-1))
    found = np.empty(len(ids), np.int64)
    lengths = np.diff(np.append(first, len(ids)))
    found[order] = np.arange(len(ids)) - np.repeat(first, lengths) + 1
    return found


def distinct(ids: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the series of rows, ascending, and which of them each row is of."""
    if _rise(ids):  # as where each of many series has a row, and sorting would take a while
        return ids, np.arange(len(ids))
    series, which = np.unique(ids, return_inverse=True)
    return series, which


def _rise(ids: NDArray[np.int64]) -> bool:
    return bool((ids[1:] > ids[:-1]).all())


def _require_rising(
    series: NDArray[np.int64],
    offsets: NDArray[np.int64],
    times: NDArray[Any] | None,
    standing: Standing,
    rules: ReadingRules,
) -> None:
    if times is None or rules.gap is None or not len(times):
        return
    before = np.concatenate([times[:1], times[:-1]])
    if standing.times.dtype.kind == times.dtype.kind:
        before = before.astype(standing.times.dtype)
        before[offsets[:-1]] = standing.times
    rises = apart(before, times.astype(before.dtype))
    rises[np.isnan(rises)] = np.inf
    if standing.times.dtype.kind != times.dtype.kind:
        rises[offsets[:-1]] = np.inf
    late = rises < 0 if rules.repeated == "keep" else rises <= 0
    if late.any():
        row = int(np.argmax(late))
        one = int(series[np.searchsorted(offsets, row, side="right") - 1])
        raise DataError(
            f"A row of series {one} has the time {times[row]}, which is not after the one before; "
            "times must rise. Push each series in order."
        )
