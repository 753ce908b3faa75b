"""Numbers as people write them: text in, float64 out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_PLAIN = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(inf|infinity)|nan", re.IGNORECASE)
_WRITTEN = re.compile(
    r"""([-+\u2212]?) \s? [$\u20ac\u00a3\u00a5]? \s? ([-+\u2212]?)
    (\d{1,3} (?: ([,'\u2019\u00a0\u202f ]) \d{3} (?: \4 \d{3} )* )? | \d+) (\.\d*)?
    \s? ([kmbt%]?) \s? [$\u20ac\u00a3\u00a5]?""",
    re.IGNORECASE | re.VERBOSE,
)
_DECIMAL_COMMA = re.compile(r"[+-]?\d[\d.]*,\d+")
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12, "%": 0.01}
_MISSING = {"", "-", "\u2013", "\u2014", "n/a", "na", "null", "none", "."}


def numbers_of_texts(texts: Sequence[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read texts as numbers: 2,001.51, $1,234.50, (3.5), 0.5%, 1.2M.

    Returns
    -------
    values : ndarray of float64, shape (T,)
        NaN where one is missing, or was not read.
    read : ndarray of bool, shape (T,)
    """
    found = [_number(text) for text in texts]
    return (
        np.array([np.nan if value is None else value for value in found], np.float64),
        np.array([value is not None for value in found], np.bool_),
    )


def looks_like_number(text: Any) -> bool:
    """Return whether a text was meant as a number, read or not: decimal commas are not read."""
    if isinstance(text, str) and text.strip().lower() in _MISSING:
        return False
    return _number(text) is not None or (
        isinstance(text, str) and _DECIMAL_COMMA.fullmatch(text.strip()) is not None
    )


def _number(value: Any) -> float | None:
    if isinstance(value, str):
        return _number_of_text(value.strip())
    try:
        return np.nan if value is None else float(value)
    except (TypeError, ValueError):
        return None


def _number_of_text(bare: str) -> float | None:
    if _PLAIN.fullmatch(bare):
        return float(bare)
    if bare.lower() in _MISSING:
        return np.nan
    negative = bare.startswith("(") and bare.endswith(")")
    found = _WRITTEN.fullmatch(bare[1:-1] if negative else bare)
    if found is None:
        return None
    sign, other, whole, mark, rest, unit = found.groups()
    value = (
        float((whole.replace(mark, "") if mark else whole) + (rest or "")) * _UNITS[unit.lower()]
    )
    return -value if negative or {sign, other} & {"-", "\u2212"} else value
