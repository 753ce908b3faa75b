"""Where the times of a frame stand, how they are read, and whether they rise."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

from regimetry.errors import DataError, DataWarning
from regimetry.series.date_order import decided, with_order_known
from regimetry.series.frames import columns_of, holds_numbers, is_text, levels_of, numbers_of
from regimetry.series.time_options import FOUND, TimeOptions
from regimetry.series.time_order import direction, owners_of, refuse_order, repeats
from regimetry.series.time_readings import Readings, joined, readings_of_column
from regimetry.series.times import readings_of_texts
from regimetry.series.times_of_day import Clock, are_days, times_of_day


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
    clock : str or None
        The column of times of day, where ``name`` is one of days.
    """

    name: str | None = None
    times: NDArray[Any] | None = None
    newest_first: bool = False
    others: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    clock: str | None = None

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
    clock = _clock(columns, {by, *besides, options.time_column})
    if options.time_column is not None:
        found = {options.time_column: _named_readings(columns, options)}
    else:
        found = _candidates(columns, options, codes, {by, *besides}, clock)
    candidates = {name: [joined(one, clock) for one in found[name]] for name in found}
    _require_one_series(frame, by, list(candidates))
    if not candidates:
        return FoundTime(notes=_without_times(columns, codes, {by, *besides}))
    name = min(candidates, key=lambda name: _rank(columns[name], candidates[name], codes))
    times, notes = decided(name, columns[name], candidates[name], codes)
    way = direction(times, codes)
    if way == 0 or (repeats(times, codes) and not options.repeated):
        refuse_order(times, owners, columns, repeated=options.repeated)
    pair = (name, clock.name) if clock and are_days(found[name][0]) else (name,)
    others = tuple(other for other in candidates if other not in pair)
    if others:
        notes.append(f"the rows are in the order of {name!r}, of the columns that hold times")
    if way < 0:
        notes.append(
            "the rows come newest first: they are read in rising time, and results keep the order "
            "of the rows"
        )
    if len(pair) > 1:
        notes.append(f"{name!r} and {pair[1]!r} are read together as the time")
    return FoundTime(name, times, way < 0, (*others, *pair[1:]), tuple(notes), (*pair, None)[1])


def likely_time(
    frame: Any, *, by: str | None, besides: Sequence[str], options: TimeOptions = FOUND
) -> TimeOptions:
    """Find the same column by the first rows of a table, whatever their order.

    Returns
    -------
    TimeOptions
        With the column, if there is one, and the order of day and month that these rows show.
    """
    columns = columns_of(frame)
    owners = owners_of(columns, by)
    codes = None if owners is None else owners[1]
    if options.time_column is not None:
        candidates = {options.time_column: _named_readings(columns, options)}
    else:
        candidates = _candidates(columns, options, codes, {by, *besides})
    if not candidates:
        return options
    name = min(candidates, key=lambda name: _rank(columns[name], candidates[name], codes))
    known = with_order_known(name, columns[name], candidates[name], codes, options)
    return replace(known, time_column=name)


def _candidates(
    columns: dict[str, Any],
    options: TimeOptions,
    codes: Any,
    besides: set[str | None],
    clock: Clock | None = None,
) -> dict[str, Readings]:
    """Return what each column of times reads as."""
    return {
        name: found
        for name, series in columns.items()
        if name not in besides
        and (found := readings_of_column(series, name, options, codes, clock)) is not None
    }


def _named_readings(columns: dict[str, Any], options: TimeOptions) -> Readings:
    """Return what the column that was named reads as: any numbers may be times."""
    name = str(options.time_column)
    if name not in columns:
        raise DataError(
            f"The time column {name!r} is missing; the columns are {', '.join(columns)}."
        )
    series = columns[name]
    if is_text(series):
        return [*readings_of_texts(series.to_list(), options)]
    found = readings_of_column(series, name, options)
    if found is None and series.dtype.is_numeric():
        return [series.to_numpy()]
    if found is None:
        raise DataError(
            f"The time column {name!r} holds values of type {series.dtype}, which are no times. "
            "Name another."
        )
    return found


def _rank(series: Any, readings: Readings, codes: Any) -> tuple[bool, bool]:
    """Order candidates: what rises or falls first, numbers last."""
    moves = any(direction(reading, codes) for reading in readings)
    return not moves, bool(series.dtype.is_numeric()) or readings[0].dtype.kind != "M"


def _clock(columns: dict[str, Any], besides: set[str | None]) -> Clock | None:
    """Return the first column of times of day."""
    for name, series in columns.items():
        if name in besides or (holds_numbers(series) and not series.dtype.is_integer()):
            continue
        if times_of_day(series.head(1).to_list(), name) is None:
            continue
        times = times_of_day(series.to_list(), name)
        if times is not None:
            return Clock(name, times)
    return None


def _without_times(
    columns: dict[str, Any], codes: Any, besides: set[str | None]
) -> tuple[str, ...]:
    """Return the note on rows without times; none where no column is left that could hold them."""
    left = [series for name, series in columns.items() if name not in besides]
    if besides - {None} and not any(
        is_text(one) or (holds_numbers(one) and direction(numbers_of(one, ""), codes))
        for one in left
    ):
        return ()
    return (
        "No column reads as a time: the rows are taken in the order in which they stand. If one "
        f"holds times, name it (time_column, --time-column); the columns are {', '.join(columns)}",
    )


def _require_one_series(frame: Any, by: str | None, times: list[str]) -> None:
    """Raise :class:`DataError` where an index of several levels names instruments besides."""
    levels = list(levels_of(frame))
    others = [name for name in levels if name != by and name not in times]
    if len(levels) > 1 and others:
        raise DataError(
            f"The index has the levels {', '.join(map(repr, levels))}; rows of several instruments "
            f"must not run into each other. Name the level of instruments: by={others[0]!r}."
        )
