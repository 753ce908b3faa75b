"""Moments of a live series: numbers or times, which must rise."""

from __future__ import annotations

from datetime import date
from numbers import Integral, Real
from typing import Any, Literal

import numpy as np

from regimetry.errors import DataError
from regimetry.series.times import as_moment, moment_of_text

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


def is_late(instant: Instant, last: Instant | None, late: Literal["refuse", "skip"]) -> bool:
    """Return whether a row is to be left out.

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
    if instant > last:
        return False
    if late == "skip":
        return True
    raise DataError(
        f"The row's timestamp is {instant} and the last one was {last}; timestamps must "
        "rise. Sort the rows, or choose late='skip' to leave late ones out."
    )


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
    return np.int64(timestamp) if isinstance(timestamp, Integral) else np.float64(timestamp)
