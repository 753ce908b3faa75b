"""Whether the rows of every instrument come in rising time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.scale.folder import import_pyarrow
from regimetry.series.time_options import TimeOptions
from regimetry.series.times import readings_of_texts


def moments(times: Any, reading: TimeOptions) -> NDArray[Any]:
    """Return a time column (n,) as datetime64 in UTC, or as its numbers.

    Parameters
    ----------
    times : pyarrow.Array or pyarrow.ChunkedArray
    reading : TimeOptions
        The column, and how its text reads.

    Raises
    ------
    DataError
        A time is missing, or text is no time, or could be of two days.
    """
    pa, name = import_pyarrow(), reading.time_column
    if times.null_count:
        raise DataError(
            f"Column {name!r} lacks a time in {times.null_count} rows; every row needs one. Fill "
            "them or leave the rows out."
        )
    if times.type in (pa.string(), pa.large_string()):
        return _parsed(times, reading)
    found = np.asarray(times.to_numpy(zero_copy_only=False))
    if found.dtype.kind == "f" and np.isnan(found).any():
        raise DataError(f"Column {name!r} holds NaN; every row needs a time. Leave the rows out.")
    return found


def _parsed(times: Any, reading: TimeOptions) -> NDArray[Any]:
    read, *other = readings_of_texts(times.to_pylist(), reading)
    unread = np.isnat(read)
    if other or unread.any():
        row = int(np.argmax(read != other[0] if other else unread))
        raise DataError(
            f"Column {reading.time_column!r} holds {times[row].as_py()!r}, which "
            + (
                "could be of two days. Say whether the day comes first: day_first, --day-first."
                if other
                else "is not a time. Mend it, or name another time column."
            )
        )
    return read


class TimeOrder:
    """Follows the times of many instruments through chunks of rows.

    Parameters
    ----------
    reading : TimeOptions
        The column, how its text reads, and whether an instrument may have rows of one time.
    """

    def __init__(self, reading: TimeOptions) -> None:
        self._reading = reading
        self._last: dict[str, Any] = {}

    def goes_on(self, names: Sequence[str], which: NDArray[np.int64], given: Any) -> bool:
        """Return whether time rises in the next rows of each instrument, after those before.

        Parameters
        ----------
        names : sequence of str
        which : ndarray of int64, shape (n,)
            The instrument of each row, as a place in ``names``.
        given : pyarrow.ChunkedArray
            Their n times, as they stand in the files.

        Raises
        ------
        DataError
            As for :func:`moments`, or an instrument has two rows of one time, one after the
            other.
        """
        if not len(which):
            return True
        order = np.argsort(which, kind="stable")
        owner, times = which[order], moments(given, self._reading)[order]
        begins = np.flatnonzero(np.diff(owner, prepend=-1))
        before = np.empty_like(times)
        before[1:] = times[:-1]
        known = np.ones(len(times), np.bool_)
        for place, number in zip(begins.tolist(), owner[begins].tolist(), strict=True):
            last = self._last.get(names[number])
            known[place] = last is not None
            before[place] = times[place] if last is None else last
        repeats = known & (times == before)
        if repeats.any() and not self._reading.repeated:
            place = int(np.argmax(repeats))
            raise DataError(
                f"Instrument {names[owner[place]]!r} has two rows with "
                f"{self._reading.time_column!r} {given[int(order[place])]}; there may be one. If "
                "another column names the instruments, give it (by, --by); else keep both: "
                "--repeated keep."
            )
        ends = np.append(begins[1:], len(owner)) - 1
        for number, last in zip(owner[ends].tolist(), times[ends], strict=True):
            self._last[names[number]] = last
        return not (known & (times < before)).any()
