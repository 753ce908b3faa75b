"""Plain data, as JSON gives them, read as the types that dataclasses declare."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import is_dataclass
from functools import cache
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

_types_of = cache(get_type_hints)
_LARGEST = 2**63
"""Of whole numbers: what other programs hold, and what numpy computes with."""

_WORDS = {
    int: "a whole number of 64 bits",
    float: "a finite number",
    str: "text",
    bool: "true or false",
}


def json_object(text: str) -> dict[str, Any]:
    """Return a JSON object that every reader reads alike.

    Raises
    ------
    ValueError
        It is no JSON object; or a name stands twice in one, of which Python takes the last and
        other readers the first; or a number is none, or text holds half a character.
    """
    found = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
    if not isinstance(found, dict):
        raise ValueError(f"it is {repr(found)[:60]}; expected an object")
    if "\\u" in text:
        json.dumps(found, ensure_ascii=False).encode()  # half a character has no UTF-8
    return found


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"{twice} stands twice")
    return found


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
    if _is_plain(kind, value, inner):
        return value
    raise TypeError(f"{name} is {repr(value)[:60]}; expected {_in_words(kind)}")


def _is_plain(kind: Any, value: Any, choices: tuple[Any, ...]) -> bool:
    if type(value) is int and kind in (int, float):
        return abs(value) < _LARGEST
    if kind is float and type(value) is float:
        return math.isfinite(value)
    return type(value) is kind or (type(value) is str and value in choices)


def _in_words(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return " or ".join(map(repr, get_args(kind)))
    return _WORDS.get(kind, "a list" if get_origin(kind) is tuple else "a mapping")
