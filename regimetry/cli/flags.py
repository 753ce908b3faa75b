"""Flags for the fields of a :class:`~regimetry.configuration.Configuration`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import Any

from regimetry.configuration.fields import Configuration, from_text
from regimetry.parameters import Allowed, allowed_of


def add_flags(
    parser: argparse._ActionsContainer,
    description: str = "a flag beats the file; null takes back what it says",
    read: Callable[[str, str], Any] = from_text,
) -> None:
    """Add one flag per field; ``read`` makes a value of a field's name and a text."""
    allowed = allowed_of(Configuration)
    group = parser.add_argument_group("fields", description)
    for entry in fields(Configuration):
        plain = isinstance(entry.default, str | int | float) and entry.default is not False
        default = f" (default: {entry.default})" if plain else ""
        group.add_argument(
            f"--{entry.name.replace('_', '-')}",
            dest=entry.name,
            type=partial(read, entry.name),
            default=argparse.SUPPRESS,  # what is not given does not beat the file
            metavar=entry.metadata["metavar"] or _alternatives(allowed[entry.name]),
            help=(entry.metadata["help"] + default).replace("%", "%%"),
        )


def _alternatives(takes: Allowed) -> str:
    return "true|false" if bool in takes.kinds else "|".join(map(str, takes.choices))


def given(options: argparse.Namespace) -> dict[str, Any]:
    """Return the flags that were given, by field."""
    names = [entry.name for entry in fields(Configuration)]
    return {name: getattr(options, name) for name in names if hasattr(options, name)}
