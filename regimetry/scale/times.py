"""Whether the rows of every instrument come in rising time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.scale.folder import import_pyarrow
from regimetry.series.times import readings_of_texts


def moments(times: Any, name: str) -> NDArray[Any]:
    """Return a time column (n,) as datetime64 in UTC, or as its numbers.

    Parameters
    ----------
    times : pyarrow.Array or pyarrow.ChunkedArray
    name : str
        Of the column, for messages.

    Raises
    ------
    DataError
        A time is missing, or text is no time.
    """
    pa = import_pyarrow()
    if times.null_count:
        raise DataError(
            f"Column {name!r} lacks a time in {times.null_count} rows; every row needs one. Fill "
            "them or leave the rows out."
        )
    if times.type in (pa.string(), pa.large_string()):
        return _parsed(times, name)
    found = np.asarray(times.to_numpy(zero_copy_only=False))
    if found.dtype.kind == "f" and np.isnan(found).any():
        raise DataError(f"Column {name!r} holds NaN; every row needs a time. Leave the rows out.")
    return found


def _parsed(times: Any, name: str) -> NDArray[Any]:
    first, *second = readings_of_texts(times.to_pylist())
    if second and not (np.isnat(first).any() or np.isnat(second[0]).any()):
        raise DataError(
            f"Column {name!r} holds {times[0].as_py()!r}, whose day could be the first number or "
            "the second. Write the times as timestamps."
        )
    read = second[0] if second and np.isnat(first).any() else first
    unread = np.isnat(read)
    if unread.any():
        raise DataError(
            f"Column {name!r} holds {times[int(np.argmax(unread))].as_py()!r}, which is not a "
            "time. Mend it, or name another time column."
        )
    return read


class TimeOrder:
    """Follows the times of many instruments through chunks of rows.

    Parameters
    ----------
    column : str
        Name of the time column, for messages.
    repeated : bool
        Whether an instrument may have rows of one time.
    """

    def __init__(self, column: str, *, repeated: bool = False) -> None:
        self._column, self._repeated = column, repeated
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
        owner, times = which[order], moments(given, self._column)[order]
        begins = np.flatnonzero(np.diff(owner, prepend=-1))
        before = np.empty_like(times)
        before[1:] = times[:-1]
        known = np.ones(len(times), np.bool_)
        for place, number in zip(begins.tolist(), owner[begins].tolist(), strict=True):
            last = self._last.get(names[number])
            known[place] = last is not None
            before[place] = times[place] if last is None else last
        repeats = known & (times == before)
        if repeats.any() and not self._repeated:
            place = int(np.argmax(repeats))
            raise DataError(
                f"Instrument {names[owner[place]]!r} has two rows with {self._column!r} "
                f"{given[int(order[place])]}; there may be one. If another column names the "
                "instruments, give it (by, --by); else keep both: --repeated keep."
            )
        ends = np.append(begins[1:], len(owner)) - 1
        for number, last in zip(owner[ends].tolist(), times[ends], strict=True):
            self._last[names[number]] = last
        return not (known & (times < before)).any()
