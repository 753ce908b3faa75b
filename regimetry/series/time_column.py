"""Where the times of a frame stand, how they are read, and whether they rise."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError, DataWarning
from regimetry.series.frames import columns_of, is_text, levels_of
from regimetry.series.time_order import direction, owners_of, refuse_order, repeats, unevenness
from regimetry.series.times import (
    FOUND,
    Moments,
    TimeOptions,
    reading_of_numbers,
    readings_of_texts,
)

_SAMPLE = 100
_MOST = 0.9
"""The share of a column's values that read as times, from which it is one."""

_NAMED = re.compile(r"(?:^|[^a-z])(?:date|time|datetime|timestamp)(?:$|[^a-z])", re.IGNORECASE)


@dataclass(frozen=True)
class FoundTime:
    """The times of a frame.

    Attributes
    ----------
    name : str or None
        The column or level of the index they stand in; ``None`` if there are none.
    times : ndarray of datetime64 (UTC) or of numbers, shape (T,), or None
    newest_first : bool
        Whether they fall, as a whole.
    others : tuple of str
        Further columns of times.
    notes : tuple of str
        What was decided.
    """

    name: str | None = None
    times: NDArray[Any] | None = None
    newest_first: bool = False
    others: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def warn(self) -> None:
        """Say what was decided."""
        for text in self.notes:
            warnings.warn(f"{text}.", DataWarning, stacklevel=2)


def find_time(
    frame: Any,
    *,
    by: str | None = None,
    options: TimeOptions = FOUND,
    besides: Sequence[str] = (),
) -> FoundTime:
    """Find the column of a frame, or the level of its index, that orders its rows.

    Times and text that reads as times go before numbers, an index before columns, and what rises
    or falls throughout before what does not. Numbers are times if they rise or fall, and read as
    an epoch or as yyyymmdd or have a name that says so.

    Parameters
    ----------
    frame : pandas or polars DataFrame, or Arrow table
    by : str or None
        Column of instruments; times rise within each.
    options : TimeOptions
    besides : sequence of str
        Columns that hold something else.

    Returns
    -------
    FoundTime

    Raises
    ------
    DataError
        A time is missing or unreadable, times are out of order or repeat, dates could be read in
        two ways, or an index holds instruments besides.
    """
    columns = columns_of(frame)
    owners = owners_of(columns, by)
    codes = None if owners is None else owners[1]
    if options.column is not None:
        candidates = {options.column: _named_readings(columns, options)}
    else:
        candidates = _candidates(columns, options, codes, {by, *besides})
    _require_one_series(frame, by, list(candidates))
    if not candidates:
        return FoundTime()
    name = min(candidates, key=lambda name: _rank(columns[name], candidates[name], codes))
    times, notes = _decided(name, columns[name], candidates[name], codes)
    way = direction(times, codes)
    if way == 0 or (repeats(times, codes) and not options.repeated):
        refuse_order(times, owners, columns, repeated=options.repeated)
    others = tuple(other for other in candidates if other != name)
    if others:
        notes.append(f"the rows are in the order of {name!r}, of the columns that hold times")
    if way < 0:
        notes.append(
            "the rows come newest first: they are read in rising time, and results keep the order "
            "of the rows"
        )
    return FoundTime(name, times, way < 0, others, tuple(notes))


def likely_time(frame: Any, *, by: str | None, besides: Sequence[str]) -> str | None:
    """Find the same column by the first rows of a table, whatever their order."""
    columns = columns_of(frame)
    owners = owners_of(columns, by)
    codes = None if owners is None else owners[1]
    candidates = _candidates(columns, FOUND, codes, {by, *besides})
    return min(
        candidates, key=lambda name: _rank(columns[name], candidates[name], codes), default=None
    )


def _candidates(
    columns: dict[str, Any], options: TimeOptions, codes: Any, besides: set[str | None]
) -> dict[str, list[NDArray[Any]]]:
    """Return what each column of times reads as."""
    return {
        name: found
        for name, series in columns.items()
        if name not in besides and (found := _readings(series, options, codes, name)) is not None
    }


def _named_readings(columns: dict[str, Any], options: TimeOptions) -> list[NDArray[Any]]:
    """Return what the column that was named reads as: any numbers may be times."""
    name = str(options.column)
    if name not in columns:
        raise DataError(
            f"The time column {name!r} is missing; the columns are {', '.join(columns)}."
        )
    series = columns[name]
    if is_text(series):
        return readings_of_texts(series.to_list(), options)
    found = _readings(series, options, None, name)
    if found is None and series.dtype.is_numeric():
        return [series.to_numpy()]
    if found is None:
        raise DataError(
            f"The time column {name!r} holds values of type {series.dtype}, which are no times. "
            "Name another."
        )
    return found


def _readings(
    series: Any, options: TimeOptions, codes: NDArray[np.int64] | None, name: str
) -> list[NDArray[Any]] | None:
    """Return what a column reads as; ``None`` where it holds no times."""
    if series.dtype.is_temporal():
        return _readings_of_times(series, options)
    if is_text(series):
        return _readings_of_text(series, options, 0.5 if names_time(name) else _MOST)
    if series.dtype.is_numeric():
        numbers = series.to_numpy()
        if numbers.dtype.kind in "iuf" and direction(numbers, codes):
            read = reading_of_numbers(numbers)
            return [read[0]] if read else [numbers] if names_time(name) else None
    return None


def _readings_of_times(series: Any, options: TimeOptions) -> list[NDArray[Any]] | None:
    kind = series.dtype
    if not hasattr(kind, "time_zone"):
        values = series.to_list()
        durations = any(not hasattr(value, "year") for value in values if value is not None)
        return None if durations else readings_of_texts(values, options)
    if kind.time_zone is not None:
        series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    return [np.asarray(series.to_numpy(), f"datetime64[{kind.time_unit}]")]


def _readings_of_text(series: Any, options: TimeOptions, least: float) -> list[NDArray[Any]] | None:
    some = series.gather_every(max(1, len(series) // _SAMPLE)).to_list()
    if max(_share(reading) for reading in readings_of_texts(some, options)) < least:
        return None
    found = readings_of_texts(series.to_list(), options)
    return found if max(map(_share, found)) >= least else None


def names_time(name: str) -> bool:
    """Return whether the name of a column says that its numbers are times."""
    return _NAMED.search(name) is not None


def _share(reading: Moments) -> float:
    return 1 - float(np.isnat(reading).mean()) if len(reading) else 0.0


def _rank(series: Any, readings: list[NDArray[Any]], codes: Any) -> tuple[bool, bool]:
    """Order candidates: what rises or falls first, numbers last."""
    moves = any(direction(reading, codes) for reading in readings)
    return not moves, bool(series.dtype.is_numeric())


def _decided(
    name: str, series: Any, readings: list[NDArray[Any]], codes: Any
) -> tuple[NDArray[Any], list[str]]:
    """Choose between readings of the same text, month first and day first."""
    whole = [one for one in readings if one.dtype.kind != "M" or not np.isnat(one).any()]
    if not whole:
        best = max(readings, key=_share)
        row = int(np.argmax(np.isnat(best)))
        raise DataError(
            f"Row {row}, column {name!r} holds {series.to_list()[row]!r}, which is not a time. "
            "Mend it, or name another time column."
        )
    moving = [one for one in whole if direction(one, codes)]
    if len(moving) < 2:
        chosen = (moving or whole)[0]
        notes = [] if len(whole) < 2 else [_order_note(name, chosen is readings[1])]
        return chosen, notes
    uneven = [unevenness(one, codes) for one in moving]
    even = int(np.argmin(uneven))
    if not 2 * uneven[even] <= uneven[1 - even]:
        raise DataError(
            f"Column {name!r} begins with {series.to_list()[0]!r}, and both orders of day and "
            "month give times that rise. Say which it is: --day-first true or false, or "
            "--time-format; in Python, give a column of times."
        )
    return moving[even], [_order_note(name, even == 1)]


def _order_note(name: str, day_first: bool) -> str:
    first, second = ("day", "month") if day_first else ("month", "day")
    return f"{name!r} is read {first} first, since then the rows are in order; not {second} first"


def _require_one_series(frame: Any, by: str | None, times: list[str]) -> None:
    """Raise :class:`DataError` where an index of several levels names instruments besides."""
    levels = list(levels_of(frame))
    others = [name for name in levels if name != by and name not in times]
    if len(levels) > 1 and others:
        raise DataError(
            f"The index has the levels {', '.join(map(repr, levels))}; rows of several instruments "
            f"must not run into each other. Name the level of instruments: by={others[0]!r}."
        )
