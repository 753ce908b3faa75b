"""Numbers as people write them: text in, float64 out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
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
_TURNED = str.maketrans(".,", ",.")
_UNITS = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "t": 1e12, "%": 0.01}
_MISSING = {"", "-", "\u2013", "\u2014", "n/a", "na", "null", "none", "."}


def numbers_of_texts(
    texts: Sequence[Any], decimal: str = "."
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read texts as numbers: 2,001.51, $1,234.50, (3.5), 0.5%, 1.2M.

    Parameters
    ----------
    texts : sequence of str, number or None
    decimal : {".", ","}
        With the comma, points are between thousands.

    Returns
    -------
    values : ndarray of float64, shape (T,)
        NaN where one is missing, or was not read.
    read : ndarray of bool, shape (T,)
    """
    if decimal == ",":
        texts = [text.translate(_TURNED) if isinstance(text, str) else text for text in texts]
    found = [_number(text) for text in texts]
    return (
        np.array([np.nan if value is None else value for value in found], np.float64),
        np.array([value is not None for value in found], np.bool_),
    )


def looks_like_number(text: Any) -> bool:
    """Return whether a text was meant as a number, read or not: decimal commas are not read."""
    if is_missing(text):
        return False
    return _number(text) is not None or (
        isinstance(text, str) and _DECIMAL_COMMA.fullmatch(text.strip()) is not None
    )


def is_missing(text: Any) -> bool:
    """Return whether a text says that there is no value."""
    return isinstance(text, str) and text.strip().lower() in _MISSING


def decimal_of_texts(texts: Iterable[Any]) -> str | None:
    """Return the decimal sign of numbers written as text: "." or ",".

    It is decided by those which the other sign does not read, as 1,5 and 1.234,56 show a comma and
    1,234.56 shows a point; "" where they read by both signs, as 1,234 does, and ``None`` where
    none has a comma, or some show the one and some the other.
    """
    with_comma = [text for text in texts if isinstance(text, str) and "," in text]
    read = {sign: numbers_of_texts(with_comma, sign)[1] for sign in ".,"}
    if not (read["."] | read[","]).any():
        return None
    shown = {sign for sign, other in (".,", ",.") if (read[sign] & ~read[other]).any()}
    return shown.pop() if len(shown) == 1 else None if shown else ""


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
