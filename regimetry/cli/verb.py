"""How a verb declares itself: what its help says and what it takes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

Declared = Callable[[argparse._ActionsContainer], Any]
"""Adds what was declared to a parser, or to a group of one."""


@dataclass(frozen=True)
class Verb:
    """One verb; every verb takes --json as well.

    Attributes
    ----------
    help : str
        The line in the list of verbs.
    description : str
    examples : sequence of str
        Commands that the help ends with.
    arguments : sequence of Declared
        In the order of the help.
    json : str
        What --json does.
    """

    help: str
    description: str
    examples: Sequence[str]
    arguments: Sequence[Declared]
    json: str = "print JSON instead of a table"


def argument(*names: str, **settings: Any) -> Declared:
    """Declare an argument by what ``add_argument`` takes."""
    return methodcaller("add_argument", *names, **settings)


def flag(name: str, text: str) -> Declared:
    """Declare an option without a value."""
    return argument(name, action="store_true", help=text)


def group(title: str, *declared: Declared) -> Declared:
    """Declare arguments that the help shows under a title."""
    return _within(methodcaller("add_argument_group", title), declared)


def one_of(*declared: Declared, required: bool = False) -> Declared:
    """Declare arguments of which one may be given, or must be."""
    return _within(methodcaller("add_mutually_exclusive_group", required=required), declared)


def _within(make: Declared, declared: Sequence[Declared]) -> Declared:
    def add(parser: argparse._ActionsContainer) -> None:
        inner = make(parser)
        for entry in declared:
            entry(inner)

    return add
