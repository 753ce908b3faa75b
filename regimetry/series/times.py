"""The one language of times: text and numbers in, moments (datetime64, in UTC) out.

Frames, files, folders and streams read it. It needs numpy alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError, DataError
from regimetry.series.time_options import FOUND, TimeOptions

Moments = NDArray[np.datetime64]

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = r"(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]*"
_TEXT = re.compile(
    rf"""(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\ )?
    (?: (\d{{4}}) [-/.]? (\d\d) [-/.]? (\d\d)                  # year, month, day
      | (\d{{4}}) [-/.] (\d\d?) (?: (?<=-\d\d) | [-/.] (\d\d?) )  # without zeros, or no day
      | (\d\d?) [-/.\ ] (\d\d?) [-/.\ ] (\d{{4}}|\d\d)          # day and month, or the reverse
      | (\d\d?) [-/.\ ]? ({_NAME}) [-/.,\ ]+ (\d{{4}}|\d\d)     # day, name of the month
      | ({_NAME}) [-/.,\ ]+ (\d\d?) [-/.,\ ]+ (\d{{4}})         # name of the month, day
    )
    (?: (?: T | ,?\ + )
        (\d\d?) (?: :? (\d\d) (?: :? (\d\d) (?: [.,] (\d{{1,9}}) )? )? )? (?: \ ?([ap])m )?
        (?: \ ? (?: (z|utc|gmt) | (?:utc|gmt)? ([+-]) (\d\d) :? (\d\d)? ) )?
    )?""",
    re.IGNORECASE | re.VERBOSE,
)
_SHOWN = 60
_EPOCHS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_EPOCH_YEARS = (631_152_000, 4_102_444_800)  # 1990 to 2100, in seconds


def readings_of_texts(texts: Sequence[Any], options: TimeOptions = FOUND) -> list[Moments]:
    """Read T texts as times, NaT where one is none.

    Parameters
    ----------
    texts : sequence of str, date, datetime or None
    options : TimeOptions

    Returns
    -------
    list of ndarray of datetime64, shape (T,)
        One; or two, by the month and by the day first, where both are dates and differ.
    """
    if options.time_format is not None:
        return [_by_pattern(texts, options.time_format)]
    plain = _plain(texts)
    return [plain] if plain is not None else _readings(texts, options)


def _plain(texts: Sequence[Any]) -> Moments | None:
    """Read what is YYYY-MM-DD or YYYY-MM-DD HH:MM:SS throughout, some ten times as fast."""
    array = np.array(texts, object if any(type(text) is not str for text in texts) else str)
    length = array.dtype.itemsize // 4
    if array.dtype.kind != "U" or length not in (10, 19) or not len(array):
        return None
    letters = array.view(np.uint32).reshape(len(array), length)
    form = np.array([ord(letter) for letter in "0000-00-00 00:00:00"[:length]])
    digits = form == ord("0")
    if (letters[:, digits] - ord("0") > 9).any() or (letters[:, ~digits] != form[~digits]).any():
        return None
    try:
        return array.astype("datetime64[us]")
    except ValueError:  # no such day, or hour
        return None


def _readings(texts: Sequence[Any], options: TimeOptions) -> list[Moments]:
    fields = np.array([_fields(text) for text in texts], np.int64).reshape(-1, 7)
    years, first, second, ordered, nanoseconds, offsets, read = fields.T
    unit = "ns" if (nanoseconds % 1000).any() else "us"
    clock = (nanoseconds // (1 if unit == "ns" else 1000) - offsets * _EPOCHS[unit]).astype(
        f"timedelta64[{unit}]"
    )

    def moments(months: NDArray[np.int64], days: NDArray[np.int64]) -> Moments:
        month = ((years - 1970) * 12 + months - 1).astype("datetime64[M]")
        day = month.astype("datetime64[D]") + (days - 1)
        there = (read > 0) & (months >= 1) & (months <= 12) & (day.astype("datetime64[M]") == month)
        return np.where(there, day + clock, np.datetime64("NaT"))

    known = ordered > 0  # the form says which is the month
    found = {
        day_first: moments(
            np.where(known | (not day_first), first, second),
            np.where(known | (not day_first), second, first),
        )
        for day_first in ((False, True) if options.day_first is None else (options.day_first,))
    }
    readings = list(found.values())
    if np.array_equal(readings[0], readings[-1], equal_nan=True):
        return readings[:1]
    return readings


def reading_of_numbers(numbers: NDArray[Any]) -> tuple[Moments, str] | None:
    """Read T numbers as epochs or as yyyymmdd; ``None`` where they are neither.

    Returns
    -------
    moments : ndarray of datetime64, shape (T,)
    unit : {"s", "ms", "us", "ns", "yyyymmdd"}
    """
    if not len(numbers) or not np.isfinite(numbers).all():
        return None
    low, high = numbers.min(), numbers.max()
    for unit, scale in _EPOCHS.items():
        if _EPOCH_YEARS[0] * scale <= low and high < _EPOCH_YEARS[1] * scale:
            if unit == "s" and (numbers % 1).any():
                return (numbers * 1e6).round().astype("datetime64[us]"), unit
            return numbers.astype(np.int64).astype(f"datetime64[{unit}]"), unit
    if not (low > 1800_00_00 and high < 2200_00_00) or (numbers % 1).any():
        return None
    (moments,) = readings_of_texts([str(int(number)) for number in numbers])
    return None if np.isnat(moments).any() else (moments, "yyyymmdd")


def moment_of_text(text: str) -> np.datetime64:
    """Read one time.

    Raises
    ------
    DataError
        It is none, or a date whose order of day and month is open.
    """
    return moment_of_readings(text, readings_of_texts([text]))


def moment_of_readings(text: str, readings: Sequence[Moments]) -> np.datetime64:
    """Return the one time that a text reads as; errors as for :func:`moment_of_text`."""
    moments: list[np.datetime64] = [one[0] for one in readings if not np.isnat(one[0])]
    if len(moments) == 1:
        return moments[0]
    if moments:
        raise DataError(
            f"The timestamp {text[:_SHOWN]!r} could be of two days. Say whether the day comes "
            "first (--day-first true or false), or write it in ISO 8601."
        )
    raise DataError(
        f"The timestamp {text[:_SHOWN]!r} is neither a date, such as 2024-05-31T16:00, nor a "
        "number."
    )


def as_moment(value: date) -> np.datetime64:
    """Return a date or datetime as datetime64; one with a zone in UTC."""
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    return np.datetime64(value, "us")


def _by_pattern(texts: Sequence[Any], pattern: str) -> Moments:
    def one(text: Any) -> np.datetime64:
        try:
            return as_moment(datetime.strptime(str(text).strip(), pattern))
        except ValueError:
            return np.datetime64("NaT")

    try:
        datetime.strptime(datetime(2000, 12, 31).strftime(pattern), pattern)
    except ValueError as error:
        raise ConfigError(
            f"The time format is {pattern!r}, which is no format of dates ({error}); it must be "
            "one as %d/%m/%Y %H:%M."
        ) from error
    return np.array([one(text) for text in texts], "datetime64[us]")


def _fields(text: Any) -> tuple[int, ...]:
    """Year, month, day, whether their order is sure, nanoseconds of the day, offset, whether read.

    Month and day are the first and the second number where the order is not sure.
    """
    if isinstance(text, date):
        text = text.isoformat()
    found = _TEXT.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        return (1970, 0, 0, 0, 0, 0, 0)
    groups = found.groups()
    year, first, second, ordered = _date(groups[:15])
    hour, minute, second_of, fraction, half, _, sign, ahead, ahead_minutes = groups[15:]
    hours = int(hour or 0)
    if half is not None:
        if not 1 <= hours <= 12:
            return (1970, 0, 0, 0, 0, 0, 0)
        hours = hours % 12 + (12 if half in "pP" else 0)
    minutes, seconds = int(minute or 0), int(second_of or 0)
    nanoseconds = ((hours * 60 + minutes) * 60 + seconds) * 10**9
    nanoseconds += int((fraction or "0").ljust(9, "0"))
    offset = (int(ahead or 0) * 60 + int(ahead_minutes or 0)) * (-60 if sign == "-" else 60)
    sound = hours < 24 and minutes < 60 and seconds < 60 and abs(offset) < 86_400
    return year, first, second, ordered, nanoseconds, offset, int(sound)


def _date(groups: Sequence[str | None]) -> tuple[int, int, int, int]:
    """Return year, month, day of the form that matched, and whether their order is sure."""
    form = next(i for i in range(0, 15, 3) if groups[i] is not None)
    a, b, c = (group or "1" for group in groups[form : form + 3])
    order: Callable[[], tuple[str, str, str]] = {
        0: lambda: (a, b, c), 3: lambda: (a, b, c), 6: lambda: (c, a, b),
        9: lambda: (c, b, a), 12: lambda: (c, a, b),
    }[form]  # fmt: skip
    year, month, day = order()
    number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
    full = int(year) if len(year) == 4 else int(year) + (1900 if int(year) > 68 else 2000)
    return full, number, int(day), int(form != 6)
