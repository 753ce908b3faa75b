"""Moments of a live series: numbers or times, which must rise."""

from __future__ import annotations

from datetime import date, timedelta
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError, DataError
from regimetry.series.times import as_moment, moment_of_text, reading_of_numbers

_ATTOSECONDS: dict[str, int] = {
    **{unit: n * 10**18 for unit, n in (("W", 604800), ("D", 86400), ("h", 3600), ("m", 60))},
    **{
        unit: 10 ** (18 - 3 * i) for i, unit in enumerate(("s", "ms", "us", "ns", "ps", "fs", "as"))
    },
}

Instant = np.int64 | np.float64 | np.datetime64


def as_instant(timestamp: Any) -> Instant:
    """Return a timestamp as one numpy scalar; times with a zone become UTC.

    Raises
    ------
    DataError
        Not a number, datetime, date, datetime64 or text of one, or NaN or NaT.
    """
    try:
        instant = _convert(timestamp)
    except DataError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"The timestamp {timestamp!r} cannot be read; a number, a datetime or its text "
            "is needed."
        ) from error
    if np.isnat(instant) if isinstance(instant, np.datetime64) else np.isnan(instant):
        raise DataError(f"The timestamp is {timestamp!r}; leave it out, or give the row's time.")
    return instant


def is_late(
    instant: Instant, last: Instant | None, late: Literal["refuse", "skip"], *, again: bool = False
) -> bool:
    """Return whether a row is to be left out; with ``again`` none of the same time as the last.

    Raises
    ------
    DataError
        It does not lie after ``last`` and late rows are refused; or the one is a number and the
        other a time.
    """
    if last is None:
        return False
    if isinstance(instant, np.datetime64) != isinstance(last, np.datetime64):
        raise DataError(
            f"The timestamp is {instant} where the last one was {last}; keep to numbers or times."
        )
    if _is_after(instant, last) or (again and _exact(instant) == _exact(last)):
        return False
    if late == "skip":
        return True
    raise DataError(
        f"The row's timestamp is {instant} and the last one was {last}; timestamps must "
        "rise. Sort the rows, or choose late='skip' to leave late ones out"
        f"{', or repeated=keep to take rows of equal times' if instant == last else ''}."
    )


def as_date(instant: Instant) -> Instant:
    """Return a number that reads as an epoch as the time it is; others as they are."""
    if isinstance(instant, np.datetime64):
        return instant
    read = reading_of_numbers(np.array([instant]))
    return instant if read is None else read[0][0]


def as_times(timestamps: Any, count: int, *, dates: bool = False) -> NDArray[Any]:
    """Return times of many rows, or one for all, as datetime64 or numbers, (count,).

    With ``dates``, numbers that read as an epoch are the times they are.

    Raises
    ------
    DataError
        They are neither, of another number, or one is missing.
    """
    times = np.asarray(timestamps)
    if times.dtype.kind in "OU":
        times = np.array([as_instant(one) for one in times.ravel()]).reshape(times.shape)
    if times.ndim == 0:
        times = np.full(count, times)
    if times.shape != (count,) or times.dtype.kind not in "Miuf":
        raise DataError(
            f"The timestamps are {times.dtype} of shape {times.shape}; {count} times or numbers "
            "are needed, or one for all."
        )
    missing = np.isnat(times) if times.dtype.kind == "M" else np.isnan(times)
    if missing.any():
        raise DataError(f"Row {int(np.argmax(missing))} has no timestamp; every row needs one.")
    if times.dtype.kind == "M":
        return times
    read = reading_of_numbers(times) if dates else None
    return times.astype(np.float64) if read is None else read[0]


def as_seconds(name: str, span: Any) -> float:
    """Return a number of at least 0, or a span of time in seconds.

    Raises
    ------
    ConfigError
        It is neither.
    """
    if isinstance(span, np.timedelta64):
        span = span / np.timedelta64(1, "s")
    elif isinstance(span, timedelta):
        span = span.total_seconds()
    if isinstance(span, int | float | np.number) and type(span) is not bool and span >= 0:
        return float(span)
    raise ConfigError(f"{name} is {span!r}; give a number of at least 0, or a span of time.")


def is_far(instant: Instant, last: Instant, span: float) -> bool:
    """Return whether a moment lies further behind another than a span, in seconds for times."""
    unit = _ATTOSECONDS["s"] if isinstance(instant, np.datetime64) else 1
    return (_exact(instant) - _exact(last)) / unit > span


def _is_after(instant: Instant, last: Instant) -> bool:
    if instant.dtype == last.dtype:
        return bool(instant > last)
    return _exact(instant) > _exact(last)


def _exact(instant: Instant) -> int | float:
    """Return a number that Python compares exactly; numpy's own units wrap, and floats round."""
    if not isinstance(instant, np.datetime64):
        number: int | float = instant.item()
        return number
    unit, count = np.datetime_data(instant.dtype)
    if unit in _ATTOSECONDS:
        ticks: int = instant.astype(np.int64).item()
        return ticks * count * _ATTOSECONDS[unit]
    days: np.datetime64 = instant.astype("datetime64[D]")  # of years and months
    return _exact(days)


def _convert(timestamp: Any) -> Instant:
    if hasattr(timestamp, "to_datetime64"):  # pandas, with its nanoseconds
        timestamp = timestamp.to_datetime64()
    if isinstance(timestamp, np.datetime64):
        return timestamp
    if isinstance(timestamp, str):
        return moment_of_text(timestamp)
    if isinstance(timestamp, date):
        return as_moment(timestamp)
    if isinstance(timestamp, bool) or not isinstance(timestamp, Real):
        raise TypeError
    # By way of Python's own numbers, which do not wrap.
    return np.int64(int(timestamp)) if isinstance(timestamp, Integral) else np.float64(timestamp)
