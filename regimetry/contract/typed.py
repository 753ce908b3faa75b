"""Plain data, as JSON gives them, read as the types that dataclasses declare."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

_types_of = cache(get_type_hints)
_WORDS = {int: "a whole number", float: "a finite number", str: "text", bool: "true or false"}


def read(kind: Any, value: Any, name: str = "") -> Any:
    """Return a value as its type says, or refuse it.

    Types are checked: text is not read as a number, nor a number as true or false. A dataclass
    takes its fields from a mapping. An absent field gets its default. An entry that is no field
    is ignored: a newer release may know it.

    Parameters
    ----------
    kind : type
        ``Any``, a plain type, a ``Literal``, a dataclass, a ``tuple`` or ``Mapping`` of these, or
        one of them or ``None``, or one of several plain types or ``None``.
    value : object
        Of JSON, or of ``kind`` already.
    name : str
        Where it stands, for messages.

    Returns
    -------
    object
        Of the type ``kind``; lists are tuples.

    Raises
    ------
    TypeError
        The value is of another type, or a field without a default is absent.
    """
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return value
    if NoneType in inner:
        fitting = next((one for one in inner if type(value) is one), inner[0])
        return None if value is None else read(fitting, value, name)
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(read(inner[0], entry, f"{name}[{i}]") for i, entry in enumerate(value))
    if origin is Mapping and isinstance(value, Mapping):
        return {key: read(inner[1], entry, f"{name}.{key}") for key, entry in value.items()}
    if isinstance(kind, type) and is_dataclass(kind) and isinstance(value, Mapping):
        entries = {
            key: read(hint, value[key], f"{name}.{key}".lstrip("."))
            for key, hint in _types_of(kind).items()
            if key in value
        }
        return kind(**entries)
    number = kind is float and type(value) in (int, float)
    if math.isfinite(value) if number else type(value) is kind or value in inner:
        return value
    raise TypeError(f"{name} is {repr(value)[:60]}; expected {_in_words(kind)}")


def _in_words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    return _WORDS.get(kind, "a list" if get_origin(kind) is tuple else "a mapping")
