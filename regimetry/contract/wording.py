"""What a row of the series is called, to people: by a word that the user gives, such as sample."""

from __future__ import annotations

import re

UNIT = "row"
"""Where nobody gave a word."""


def is_word(text: str) -> bool:
    """Whether text is one word of letters, which can stand in a sentence."""
    return re.fullmatch(r"[^\W\d_]+(-[^\W\d_]+)*", text) is not None


def plural(unit: str) -> str:
    """Return the word for several: an s behind it, or es where it ends in a hiss."""
    return f"{unit}es" if unit.endswith(("s", "x", "z", "ch", "sh")) else f"{unit}s"


def counted(count: float, unit: str, form: str = "d") -> str:
    """Return a number with its unit: ``1 sample``, ``12 samples``."""
    text = format(count, form)
    return f"{text} {unit if text == '1' else plural(unit)}"


_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_YEAR = 365.25 * 86_400


def duration(seconds: float) -> str:
    """Return a time as text, in days at most: ``15 minutes``."""
    units = [unit for unit in ("day", "hour", "minute") if seconds >= _SECONDS[unit]]
    unit = [*units, "second"][0]
    return counted(seconds / _SECONDS[unit], unit, ".4g")


def rate(count: float, seconds: float) -> str:
    """Say how often something is in the shortest time in which it is once: ``3.1 a year``."""
    times = {**_SECONDS, "year": _YEAR}
    often = {unit: count * size / seconds for unit, size in times.items()}
    unit = next((unit for unit, value in often.items() if value >= 1), "year")
    return f"{often[unit]:.3g} {'an' if unit == 'hour' else 'a'} {unit}"
