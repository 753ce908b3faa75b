"""Types of fields in words, and text from the command line as their values."""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

_WORDS = {
    int: "an integer",
    float: "a number",
    str: "text",
    bool: "true or false",
    type(None): "null",
}


@cache
def types_of(kind: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields."""
    return get_type_hints(kind)


def members(kind: Any) -> tuple[Any, ...]:
    """Return what a union is made of; of another type, the type alone."""
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def choices(kind: Any) -> tuple[Any, ...]:
    """Return the literal values that a type allows."""
    return tuple(
        value
        for member in members(kind)
        if get_origin(member) is Literal
        for value in get_args(member)
    )


def in_words(kind: Any, minimum: float | None = None) -> str:
    """Say what a type allows: "'auto' or an integer of at least 1"."""
    words = [repr(value) for value in choices(kind)]
    if len(words) > 1 and len(members(kind)) == 1:
        return f"one of {', '.join(words)}"
    for member in members(kind):
        if get_origin(member) is Literal:
            continue
        if get_origin(member) is tuple:
            words.append("a list of texts")
        elif member in (int, float) and minimum is not None:
            words.append(f"{_WORDS[member]} of at least {minimum:g}")
        else:
            words.append(_WORDS.get(member, "fields and their values"))
    return " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def from_text(kind: Any, text: str) -> Any:
    """Read a flag's text as a type's value; what does not fit stays text, to be refused by name."""
    kinds, literals = members(kind), choices(kind)
    if text == "null" and type(None) in kinds:
        return None
    if text in ("true", "false") and bool in kinds:
        return text == "true"
    for literal in literals:
        if text == str(literal):
            return literal
    if any(get_origin(member) is tuple for member in kinds):
        return [name for name in (part.strip() for part in text.split(",")) if name]
    for number in (int, float):
        if number in kinds:
            try:
                return number(text)
            except ValueError:
                continue
    return text
