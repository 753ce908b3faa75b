"""Results as plain data, which JSON can hold, and as text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def plain(value: Any) -> Any:
    """Return dataclasses, named tuples and arrays as dicts, lists and numbers.

    A number that is NaN or infinite becomes ``None``: JSON has neither.
    """
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    elif isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    elif isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def as_text(value: float, digits: str = ".1f", missing: str = "") -> str:
    """Return a number as text; what stands for NaN is ``missing``, infinity is a word."""
    if math.isnan(value):
        return missing
    return "never" if math.isinf(value) else format(value, digits)
