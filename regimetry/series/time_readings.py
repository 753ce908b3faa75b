"""What a column of a frame reads as, if it holds times."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.series.frames import is_text
from regimetry.series.time_options import TimeOptions
from regimetry.series.time_order import direction
from regimetry.series.times import Moments, reading_of_numbers, readings_of_texts
from regimetry.series.times_of_day import Clock

_SAMPLE = 100
_MOST = 0.9
"""The share of a column's values that read as times, from which it is one."""

_NAMED = re.compile(r"(?:^|[^a-z])(?:date|time|datetime|timestamp)(?:$|[^a-z])", re.IGNORECASE)

Readings = list[NDArray[Any]]
"""The times (T,) of a column: datetime64 or numbers; by the month and by the day first where both
are dates and differ."""


def readings_of_column(
    series: Any,
    name: str,
    options: TimeOptions,
    codes: NDArray[np.int64] | None = None,
    clock: Clock | None = None,
) -> Readings | None:
    """Read a column as times; ``None`` where it holds none.

    Parameters
    ----------
    series : narwhals Series
        T values.
    name : str
    options : TimeOptions
    codes : ndarray of int64, shape (T,), or None
        The instrument of each row.
    clock : Clock or None
        A column of times of day, which days may be waiting for.
    """
    if series.dtype.is_temporal():
        return _of_times(series, options, codes)
    if is_text(series):
        return _of_text(series, options, 0.5 if names_time(name) else _MOST)
    if not series.dtype.is_numeric():
        return None
    numbers = series.to_numpy()
    if numbers.dtype.kind == "f":
        numbers = numbers.astype(np.float64)
    read = reading_of_numbers(numbers) if numbers.dtype.kind in "iuf" else None
    times = numbers if read is None else read[0]
    if read is None and not (names_time(name) and numbers.dtype.kind in "iuf"):
        return None
    return [times] if direction(joined(times, clock), codes) else None


def joined(times: NDArray[Any], clock: Clock | None) -> NDArray[Any]:
    """Return times, with the times of day where there are any to add."""
    return times if clock is None else clock.joined(times)


def names_time(name: str) -> bool:
    """Return whether the name of a column says that its numbers are times."""
    return _NAMED.search(name) is not None


def share_of_times(reading: Moments) -> float:
    """Return which share of a reading (T,) is a time."""
    return 1 - float(np.isnat(reading).mean()) if len(reading) else 0.0


def _of_times(
    series: Any, options: TimeOptions, codes: NDArray[np.int64] | None
) -> Readings | None:
    """Read dates and times; the time since a beginning, if it rises, as seconds."""
    kind = series.dtype
    if hasattr(kind, "time_zone"):
        if kind.time_zone is not None:
            series = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return [np.asarray(series.to_numpy(), f"datetime64[{kind.time_unit}]")]
    if hasattr(kind, "time_unit"):
        seconds = series.dt.total_microseconds().to_numpy() / 1e6
        return [seconds] if direction(seconds, codes) else None
    values = series.drop_nulls().to_list()
    dates = bool(values) and all(hasattr(value, "year") for value in values)
    return readings_of_texts(series.to_list(), options) if dates else None


def _of_text(series: Any, options: TimeOptions, least: float) -> Readings | None:
    some = series.gather_every(max(1, len(series) // _SAMPLE)).to_list()
    if max(share_of_times(reading) for reading in readings_of_texts(some, options)) < least:
        return None
    found = readings_of_texts(series.to_list(), options)
    return [*found] if max(map(share_of_times, found)) >= least else None
