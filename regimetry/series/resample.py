"""Bins of time: rows of irregular or fast clocks gathered into one row a bin, causally."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.series.gaps import as_span
from regimetry.series.rules import ReadingRules

NANOSECONDS = 1_000_000_000


class Binned(NamedTuple):
    """The closed bins of series, and where each row finds the last one.

    Attributes
    ----------
    values : ndarray of float64, shape (B, F)
        NaN where a bin has no value of a column. Of empty bins in a row at most one more than may
        be filled is here, and none in a gap.
    offsets : ndarray of int64, shape (I + 1,)
        First bin of each series, and B.
    times : ndarray of datetime64, shape (B,)
        When each bin closed.
    place : ndarray of int64, shape (T,)
        The last bin that closed before a row or at it; -1 where there is none, or it is not here.
    """

    values: NDArray[np.float64]
    offsets: NDArray[np.int64]
    times: NDArray[Any]
    place: NDArray[np.int64]


def bin_length(rules: ReadingRules, times: Any) -> int:
    """Return the length of a bin in nanoseconds.

    Raises
    ------
    ConfigError
        The times are numbers.
    """
    seconds = as_span("resample", str(rules.resample)).of(times, "resample")
    return max(1, round(seconds * NANOSECONDS))


def bin_numbers(times: NDArray[Any], length: int) -> NDArray[np.int64]:
    """Return the bin of each time (T,), counted from 1970: a bin has its first moment."""
    return np.asarray(times.astype("datetime64[ns]").astype(np.int64) // length)


def closing_times(bins: Any, length: int) -> Any:
    """Return when bins close: the first moment that is theirs no more."""
    return ((bins + 1) * length).astype("datetime64[ns]")


def empty_bins(apart: NDArray[np.int64], rules: ReadingRules, length: int) -> NDArray[np.int64]:
    """Return how many empty bins are read between bins whose numbers lie ``apart``.

    One more than may be filled ends a segment, as more would; after a gap in time none is needed.
    """
    empty = np.minimum(apart - 1, rules.fill + 1)
    if rules.gap is None:
        return empty
    return np.where(apart * length / NANOSECONDS > rules.gap.length, 0, empty)


def binned(
    values: NDArray[np.floating],
    offsets: NDArray[np.int64],
    times: NDArray[Any] | None,
    rules: ReadingRules,
) -> Binned:
    """Gather the rows of series into bins.

    Parameters
    ----------
    values : ndarray of float, shape (T, F)
        NaN where missing.
    offsets : ndarray of int64, shape (I + 1,)
    times : ndarray of datetime64, shape (T,), or None
        Rising within each series.
    rules : ReadingRules

    Returns
    -------
    Binned

    Raises
    ------
    DataError
        There are no times.
    """
    if times is None:
        raise DataError(
            f"resample is {rules.resample!r}, and the rows have no times, by which they fall into "
            "bins. Give a frame with a column of times."
        )
    length = bin_length(rules, times)
    found = [
        _binned(values[a:b], bin_numbers(times[a:b], length), rules, length)
        for a, b in pairwise(offsets.tolist())
    ]
    begins = np.cumsum([0, *(len(rows) for rows, _, _ in found)])
    return Binned(
        np.concatenate([rows for rows, _, _ in found]),
        begins,
        closing_times(np.concatenate([bins for _, bins, _ in found]), length),
        np.concatenate(
            [
                np.where(place < 0, -1, place + first)
                for (_, _, place), first in zip(found, begins.tolist(), strict=False)
            ]
        ),
    )


def _binned(
    values: NDArray[np.floating], numbers: NDArray[np.int64], rules: ReadingRules, length: int
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the closed bins of one series, their numbers, and the last one of each row."""
    bins, which = np.unique(numbers, return_inverse=True)
    apart = np.diff(bins)
    empty = empty_bins(apart, rules, length)
    at = np.cumsum(empty + 1) - (empty + 1)  # of each closed bin that has rows
    made = np.full((int((empty + 1).sum()), values.shape[1]), np.nan)
    made[at] = _gathered(values, which, len(bins), rules.resample_how)[:-1]
    all_bins = np.repeat(bins[:-1] - at, empty + 1) + np.arange(len(made))
    last = np.append(-1, np.where(empty == apart - 1, at + empty, -1))
    return made, all_bins, last[which]


def _gathered(
    values: NDArray[np.floating], which: NDArray[np.int64], count: int, how: str
) -> NDArray[np.float64]:
    """Return one row a bin, of the values that are there; NaN where a column has none."""
    present = ~np.isnan(values)
    made = np.full((count, values.shape[1]), np.nan)
    if how == "last":
        rows, columns = np.nonzero(present)  # in order: a later value takes the place
        made[which[rows], columns] = values[rows, columns]
        return made
    sums, counts = np.zeros_like(made), np.zeros_like(made)
    np.add.at(sums, which, np.where(present, values, 0.0))  # one after the other, as a stream does
    np.add.at(counts, which, present)
    np.divide(sums, counts, out=made, where=counts > 0)
    return made
