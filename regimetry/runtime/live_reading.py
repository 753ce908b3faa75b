"""What a live series remembers of missing values: what stands in for them, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.runtime.instants import Instant
from regimetry.runtime.snapshots import entry
from regimetry.series.missing import Held, read_rows


class Absence(NamedTuple):
    """A column whose value does not come.

    Attributes
    ----------
    rows : int
        Rows without it, one after the other; of a stream with ``resample``, bins.
    since : number, datetime64 or None
        The time of the first of them; ``None`` where it had none.
    """

    rows: int
    since: Instant | None


class Reading(NamedTuple):
    """Where the reading of one live series stands.

    Attributes
    ----------
    held : Held or None
        ``None`` where the last row that was kept has every value.
    absent : mapping of int to Absence
        Columns that the last row lacked.
    """

    held: Held | None
    absent: Mapping[int, Absence]


COMPLETE = Reading(None, MappingProxyType({}))
"""Nothing is missing."""


def read_on(
    reading: Reading,
    values: NDArray[np.floating],
    last: NDArray[np.floating] | None,
    instant: Instant | None,
    *,
    border: bool,
    fill: int,
) -> tuple[Reading, NDArray[np.floating] | None, bool]:
    """Read the next row.

    Parameters
    ----------
    reading : Reading
    values : ndarray of float64, shape (F,)
        NaN where missing.
    last : ndarray of float, shape (F,), or None
        The last row that was kept; ``None`` where none was.
    instant : Instant or None
        Its time.
    border : bool
        Whether it comes after a gap in time.
    fill : int
        Rows that a value may be old.

    Returns
    -------
    reading : Reading
    values : ndarray or None
        Filled; ``None`` of a row that is left out.
    begins : bool
        Whether a segment begins with it.
    """
    held = reading.held
    if held is None:
        held = Held.nothing(len(values))
        if last is not None:
            held = Held(last.astype(np.float64), np.zeros(len(last), np.int64), True)
    read = read_rows(values[None], np.array([border]), fill, held)
    absent = {
        column: Absence(before.rows + 1, before.since)
        if (before := reading.absent.get(column)) is not None
        else Absence(1, instant)
        for column in np.flatnonzero(np.isnan(values)).tolist()
    }
    kept = bool(read.keep[0])
    if kept and not absent:
        return COMPLETE, read.values[0], bool(read.begins[0])
    return Reading(read.held, absent), read.values[0] if kept else None, bool(read.begins[0])


def reading_state(reading: Reading, n_columns: int) -> dict[str, Any]:
    """Return the entries of a snapshot; none where nothing is missing."""
    if reading is COMPLETE:
        return {}
    rows = np.zeros(n_columns, np.int64)
    since = [absence.since for absence in reading.absent.values() if absence.since is not None]
    times = np.array(since) if since else np.empty(0)
    timed = np.zeros(n_columns, np.bool_)
    for column, absence in reading.absent.items():
        rows[column], timed[column] = absence.rows, absence.since is not None
    held = Held.nothing(n_columns) if reading.held is None else reading.held
    return {
        "held": held.last.copy(),
        "ages": held.ages.copy(),
        "open": held.open,
        "absent": rows,
        "absent_timed": timed,
        "absent_since": times,
        "absent_order": np.array(list(reading.absent), np.int64),
    }


def reading_of(snapshot: Mapping[str, Any], n_columns: int) -> Reading:
    """Return the state that :func:`reading_state` wrote.

    Raises
    ------
    DataError
        It cannot be one.
    """
    if "held" not in snapshot:
        return COMPLETE
    names = ("held", "ages", "absent", "absent_timed", "absent_order")
    last, ages, rows, timed, order = (np.array(entry(snapshot, name)) for name in names)
    since = np.array(entry(snapshot, "absent_since"))
    sound = (
        all(one.shape == (n_columns,) for one in (last, ages, rows, timed))
        and last.dtype == np.float64
        and all(one.dtype == np.int64 for one in (ages, rows, order))
        and timed.dtype == np.bool_
        and since.shape == (int(timed.sum()),)
        and since.dtype.kind in "ifM"
        and sorted(order.tolist()) == np.flatnonzero(rows).tolist()
        and (ages >= 0).all()
    )
    if not sound:
        raise DataError("The snapshot's missing values are damaged. Restore an unchanged snapshot.")
    times = iter(since)
    absent = {
        column: Absence(int(rows[column]), next(times) if timed[column] else None)
        for column in order.tolist()
    }
    return Reading(Held(last, ages, bool(entry(snapshot, "open"))), absent)
