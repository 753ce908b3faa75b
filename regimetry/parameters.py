"""Checks of parameters; a failure names the field, its value and what is allowed."""

from __future__ import annotations

from regimetry.errors import ConfigError


def require_integer(
    field: str,
    value: object,
    minimum: int,
    *,
    kinds: type | tuple[type, ...] = int,
    other: str = "",
) -> None:
    """Raise :class:`ConfigError` unless ``value`` is an integer of at least ``minimum``.

    Parameters
    ----------
    field : str
    value : object
        A bool is no integer here.
    minimum : int
    kinds : type or tuple of type
        What counts as an integer.
    other : str
        What else is allowed, for the message, such as ``"'auto' or "``.
    """
    if isinstance(value, bool) or not isinstance(value, kinds) or value < minimum:  # type: ignore[operator]
        raise ConfigError(
            f"{field} is {value!r}; it must be {other}an integer of at least {minimum}."
        )


def require_choice(field: str, value: object, allowed: tuple[object, ...]) -> None:
    """Raise :class:`ConfigError` unless ``value`` is among ``allowed``."""
    if value not in allowed:
        names = ", ".join(repr(choice) for choice in allowed)
        raise ConfigError(f"{field} is {value!r}; it must be one of {names}.")
