"""What parameters take, declared once; a failed check names field, value and what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from math import inf
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from regimetry.errors import ConfigError

Words = Mapping[Any, str]
"""What types are called in a message, and values that are not shown by their ``repr``."""

PYTHON: Words = {
    int: "an integer",
    float: "a finite number",
    str: "text",
    bool: "True or False",
    NoneType: "None",
    tuple: "a list of texts",
}


def option(
    default: Any,
    text: str = "",
    *,
    choices: Iterable[str] = (),
    minimum: float = -inf,
    below: float = inf,
    metavar: str | None = None,
) -> Any:
    """Declare a field of a dataclass of options.

    Parameters
    ----------
    default : object
    text : str
        What the field is, for people.
    choices : iterable of str
        The names that a field of text takes, where a register holds them. A fixed list of values
        stands in the field's type, as ``Literal``.
    minimum, below : float
        The least number, and the one that all stay below.
    metavar : str or None
        What the flag of the command line calls the value.
    """
    return field(
        default=default,
        metadata={"help": text, "choices": choices, "limits": (minimum, below), "metavar": metavar},
    )


@dataclass(frozen=True)
class Allowed:
    """What a field takes.

    Attributes
    ----------
    kinds : tuple of type
        Any value of these.
    choices : tuple
        And these values.
    minimum, below : float
        Limits of numbers; see :func:`option`.
    """

    kinds: tuple[Any, ...]
    choices: tuple[Any, ...] = ()
    minimum: float = -inf
    below: float = inf

    def takes(self, value: object) -> bool:
        """Whether a plain value is allowed. A bool is no integer, an integer is a number."""
        if any(isinstance(value, type(one)) and value == one for one in self.choices):
            return True
        if type(value) in (int, float):
            known = float in self.kinds or type(value) in self.kinds
            return known and self.minimum <= value < self.below  # type: ignore[operator]
        if isinstance(value, tuple) and not all(isinstance(entry, str) for entry in value):
            return False
        return Any in self.kinds or type(value) in self.kinds

    def words(self, words: Words = PYTHON) -> str:
        """Say what is allowed: "'auto' or an integer of at least 1"."""
        names = [repr(choice) for choice in self.choices]
        kinds = [self._called(kind, words) for kind in self.kinds if kind is not NoneType]
        if len(names) > 1 and not kinds:
            names = [f"one of {', '.join(names)}"]
        said = [words[NoneType]] * (NoneType in self.kinds) + names + kinds
        return " or ".join(filter(None, [", ".join(said[:-1]), said[-1]]))

    def _called(self, kind: Any, words: Words) -> str:
        called = words.get(kind, "fields and their values")
        if kind in (int, float) and self.below < inf:
            return f"a number in [{self.minimum:g}, {self.below:g})"
        least = kind in (int, float) and self.minimum > -inf
        return f"{called} of at least {self.minimum:g}" if least else called


_types_of = cache(get_type_hints)


def allowed_of(options: type) -> dict[str, Allowed]:
    """Return what each field of a dataclass of options takes, by its type and :func:`option`."""
    return {
        entry.name: _allowed(entry, _types_of(options)[entry.name]) for entry in fields(options)
    }


def _allowed(entry: Field[Any], declared: Any) -> Allowed:
    told = entry.metadata
    members = get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)
    literals = [member for member in members if get_origin(member) is Literal]
    kinds = [get_origin(member) or member for member in members if member not in literals]
    names = tuple(told["choices"])
    return Allowed(
        tuple(kind for kind in kinds if not (names and kind is str)),
        (*(value for literal in literals for value in get_args(literal)), *names),
        *told["limits"],
    )


def to_python(value: Any) -> Any:
    """Return numpy's numbers, texts and arrays as Python's; lists and arrays as tuples."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return tuple(map(to_python, value)) if isinstance(value, list | tuple) else value


def checked(name: str, value: Any, allowed: Allowed, words: Words = PYTHON) -> Any:
    """Return a value in plain Python.

    Raises
    ------
    ConfigError
        It is not allowed; the message calls the field ``name``.
    """
    plain = to_python(value)
    if not allowed.takes(plain):
        shown = repr(list(plain) if isinstance(plain, tuple) else plain)
        raise ConfigError(
            f"{name} is {words.get(shown, shown)}; it must be {allowed.words(words)}."
        )
    return plain


def check_fields(options: Any, words: Words = PYTHON) -> None:
    """Check every field of a frozen dataclass of options, and make its value plain Python.

    Raises
    ------
    ConfigError
        A value is not allowed.
    """
    for name, allowed in allowed_of(type(options)).items():
        object.__setattr__(options, name, checked(name, getattr(options, name), allowed, words))


def require_integer(field: str, value: object, minimum: int, *, other: str = "") -> None:
    """Raise :class:`ConfigError` unless ``value`` is an integer of at least ``minimum``.

    Parameters
    ----------
    field : str
    value : object
        A bool is no integer here.
    minimum : int
    other : str
        What else is allowed, for the message, such as ``"'auto' or "``.
    """
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ConfigError(
            f"{field} is {value!r}; it must be {other}an integer of at least {minimum}."
        )


def require_choice(field: str, value: object, allowed: tuple[object, ...]) -> None:
    """Raise :class:`ConfigError` unless ``value`` is among ``allowed``."""
    checked(field, value, Allowed((), allowed))
