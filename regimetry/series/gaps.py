"""Gaps in time: how long a step between two rows may be, and which steps are longer."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError

AUTO_MEDIANS, AUTO_LEAST, AUTO_UNSURE = 10.0, 2, 3.0
"""The rule of "auto", see :func:`found_gap`."""

_UNITS = {
    "w": 604_800.0, "week": 604_800.0, "d": 86_400.0, "day": 86_400.0, "h": 3600.0, "hr": 3600.0,
    "hour": 3600.0, "m": 60.0, "min": 60.0, "minute": 60.0, "s": 1.0, "sec": 1.0, "second": 1.0,
    "ms": 1e-3, "us": 1e-6, "ns": 1e-9,
}  # fmt: skip
_PART = re.compile(r"(\d+\.?\d*|\.\d+)\s*([a-z]+)\s*(?=[\d.]|$)", re.IGNORECASE)
_CLOCK = re.compile(r"(\d+):([0-5]\d)(?::([0-5]\d(?:\.\d*)?))?")


class Span(NamedTuple):
    """A length of time.

    Attributes
    ----------
    length : float
        Of a duration in seconds; else in the unit of times that are numbers.
    is_duration : bool
    """

    length: float
    is_duration: bool

    def of(self, times: Any, name: str) -> float:
        """Return the length, in the unit of the :func:`steps` of such times, or of one.

        Raises
        ------
        ConfigError
            It is a duration and the times are numbers, or the other way round.
        """
        dates = times.dtype.kind == "M"
        if dates != self.is_duration:
            kinds = ("dates", "a duration such as 5D") if dates else ("numbers", "a number")
            shown = f"{self.length:g}{' s' if self.is_duration else ''}"
            raise ConfigError(f"{name} is {shown}, and the times are {kinds[0]}; give {kinds[1]}.")
        return self.length


def as_span(name: str, value: float | str) -> Span:
    """Read a number or a text such as 5D, 1h 30min, 90s or 02:00.

    Raises
    ------
    ConfigError
        It is neither, or not positive.
    """
    text = value.strip() if isinstance(value, str) else ""
    span = _span(text.removeprefix("-") if text else value)
    if span is not None and text.startswith("-"):
        span = Span(-span.length, span.is_duration)
    if span is None:
        raise ConfigError(
            f"{name} is {value!r}; it must be a duration such as 5D or 1h30min, or a number where "
            "the times are numbers."
        )
    if not 0 < span.length < np.inf:
        raise ConfigError(f"{name} is {value!r}; it must be above 0.")
    return span


def _span(value: float | str) -> Span | None:
    try:
        return Span(float(value), False)
    except ValueError:
        pass
    text = str(value).strip()
    clock = _CLOCK.fullmatch(text)
    if clock is not None:
        hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return Span(3600 * hours + 60 * minutes + seconds, True)
    length, end = 0.0, 0
    for part in _PART.finditer(text):
        unit = part[2].lower()
        size = _UNITS.get(unit, _UNITS.get(unit.removesuffix("s")))
        if part.start() != end or size is None:
            return None
        length, end = length + float(part[1]) * size, part.end()
    return Span(length, True) if end and end == len(text) else None


def steps(times: NDArray[Any]) -> NDArray[np.float64]:
    """Return from each time to the next (T,), in seconds where they are dates, (T - 1,)."""
    return apart(times[:-1], times[1:])


def apart(before: Any, after: Any) -> NDArray[np.float64]:
    """Return from times, or one, to others, as :func:`steps` does; NaN where one is missing."""
    if after.dtype.kind == "u":
        before, after = before.astype(np.int64), after.astype(np.int64)
    found = after - before
    if found.dtype.kind == "m":
        return np.asarray(found / np.timedelta64(1, "s"), np.float64)
    return np.asarray(found, np.float64)


class StepCounts(NamedTuple):
    """How often each step occurs, of one series or of many together.

    Attributes
    ----------
    lengths : ndarray of float64, shape (n,)
        Rising.
    counts : ndarray of int64, shape (n,)
    """

    lengths: NDArray[np.float64]
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, series: Iterable[NDArray[Any]]) -> StepCounts:
        """Count the steps within each series of times."""
        found = [np.empty(0), *(steps(times) for times in series)]
        return cls(*np.unique(np.concatenate(found), return_counts=True))

    @classmethod
    def together(cls, parts: Sequence[StepCounts]) -> StepCounts:
        """Add counts up, in any order."""
        lengths = np.concatenate([np.empty(0), *(part.lengths for part in parts)])
        counts = np.concatenate([np.empty(0, np.int64), *(part.counts for part in parts)])
        kinds, which = np.unique(lengths, return_inverse=True)
        return cls(kinds, np.bincount(which, counts, len(kinds)).astype(np.int64))


def found_gap(found: StepCounts) -> float | None:
    """Decide what "auto" means, by the steps between rows.

    A gap is a step of more than 10 median steps, if there are sessions: at least two such steps,
    and more of them than of steps between 3 and 10 medians, which would leave it open where a
    session ends. Otherwise there is none: a week-end between daily bars is 3 medians long.
    """
    if not found.counts.sum():
        return None
    middle = np.searchsorted(np.cumsum(found.counts), (found.counts.sum() + 1) // 2)
    median = found.lengths[middle]
    long = found.lengths > AUTO_MEDIANS * median
    unsure = (found.lengths > AUTO_UNSURE * median) & ~long
    gaps = found.counts[long].sum()
    if median <= 0 or gaps < AUTO_LEAST or gaps <= found.counts[unsure].sum():
        return None
    return float(AUTO_MEDIANS * median)
