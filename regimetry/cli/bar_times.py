"""The time of a bar, from the fields of its line; see :mod:`regimetry.series.times`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from regimetry.errors import DataError
from regimetry.series.schema import Schema
from regimetry.series.time_options import TimeOptions
from regimetry.series.time_readings import names_time
from regimetry.series.times import (
    Moments,
    moment_of_readings,
    reading_of_numbers,
    readings_of_texts,
)
from regimetry.series.times_of_day import are_days, times_of_day

SHOWN = 60
"""Characters of a value that a message quotes."""

Moment = np.datetime64 | int | float


class BarClock:
    """Finds the time in the first bar, and reads it in all.

    Parameters
    ----------
    schema : Schema
        Columns that are not the time.
    options : TimeOptions
    """

    def __init__(self, schema: Schema, options: TimeOptions) -> None:
        self._features, self._options = schema.names, options
        self._names: tuple[str, ...] | None = None  # not known yet

    def read(self, found: Mapping[str, Any]) -> tuple[Any, Moment | None]:
        """Return the time of a line as it came, and to be ordered; both ``None`` without one."""
        names = self._names
        if names is None:
            named = self._options.time_column or self._found_in(found)
            names = () if named is None else (named,)
        missing = [name for name in names if name not in found]
        if missing:
            raise DataError(f"The line lacks the time {missing[0]!r}.")
        if not names:
            return None, None
        moment = self._moment(found[names[0]])
        if self._names is None:
            names = (*names, *self._times_of_day(found, names[0], moment))
            self._names = names
        if len(names) == 1:
            return found[names[0]], moment
        came = [found[name] for name in names]
        return " ".join(map(str, came)), _joined(moment, came[1], names[1])

    def _found_in(self, found: Mapping[str, Any]) -> str | None:
        kinds = {
            name: _kind(name, value, self._options, is_first=not place)
            for place, (name, value) in enumerate(found.items())
            if name not in self._features
        }
        return min((name for name in kinds if kinds[name]), key=kinds.__getitem__, default=None)

    def _times_of_day(self, found: Mapping[str, Any], name: str, moment: Moment) -> list[str]:
        """Return the column of times of day beside one of days, if there is one."""
        if _as_day(moment) is None:
            return []
        others = [other for other in found if other not in (name, *self._features)]
        return [other for other in others if times_of_day([found[other]], other) is not None][:1]

    def _moment(self, value: Any) -> Moment:
        number = _number(value)
        if number is not None and self._options.time_format is None:
            return number
        if not isinstance(value, str):
            raise DataError(f"The timestamp {repr(value)[:SHOWN]} is neither a date nor a number.")
        readings = readings_of_texts([value], self._options)
        moment = moment_of_readings(value, readings)
        if len(readings) == 2:
            # A day above 12 shows the order for the lines that follow.
            self._options = replace(self._options, day_first=bool(np.isnat(readings[0][0])))
        return moment


def _as_day(moment: Moment) -> np.datetime64 | None:
    """Return a moment that is a whole day, perhaps as the number yyyymmdd."""
    days: Moments = np.array([moment], np.datetime64 if isinstance(moment, np.datetime64) else None)
    if days.dtype.kind != "M":
        read = reading_of_numbers(days)
        if read is None or read[1] != "yyyymmdd":
            return None
        days = read[0]
    found: np.datetime64 = days[0]
    return found if are_days(days) else None


def _joined(moment: Moment, of_day: Any, name: str) -> np.datetime64:
    day, times = _as_day(moment), times_of_day([of_day], name)
    if day is None or times is None:
        raise DataError(
            f"The line holds {str(moment)[:SHOWN]} and {name!r} {repr(of_day)[:SHOWN]}; a day and "
            "a time of day are needed, as in the first bar."
        )
    moments: np.datetime64 = day + times[0]
    return moments


def _kind(name: str, value: Any, options: TimeOptions, *, is_first: bool) -> int:
    """Order what could be the time: dates, what the name says, a leading epoch; 0 is none.

    An epoch elsewhere may be a volume: one bar does not show whether it rises.
    """
    number = _number(value)
    texts = readings_of_texts([value], options) if isinstance(value, str) and number is None else []
    if any(not np.isnat(reading[0]) for reading in texts):
        return 1
    if names_time(name):
        return 2
    if not is_first or number is None or reading_of_numbers(np.array([number], np.float64)) is None:
        return 0
    return 3


def _number(value: Any) -> int | float | None:
    """Return a finite number, or one that a text is."""
    if isinstance(value, bool):
        return None
    for kind in (int, float) if isinstance(value, str) else ():
        with suppress(ValueError):
            value = kind(value)
            break
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, int | float) else None
