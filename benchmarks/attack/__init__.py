"""Attacks on what docs/security.md promises, each with a defect of its own that it must report."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

_ROOT = Path(__file__).resolve().parents[2]


def python(code: str, *arguments: object) -> list[str]:
    """Return the command of another process: the package as installed, the benchmarks from here."""
    begin = f"import sys; sys.path.append({str(_ROOT)!r})"
    return [sys.executable, "-I", "-c", f"{begin}\n{code}", *map(str, arguments)]


@dataclass
class Place:
    """What is attacked, and where there is room for copies.

    Attributes
    ----------
    model : Path
        A model file with its golden file beside it.
    room : Path
        An empty folder.
    """

    model: Path
    room: Path


class Attack(NamedTuple):
    """One class of attacks.

    Attributes
    ----------
    name : str
    tries : int
        How often the command tries it.
    run : callable
        Takes a place, a number of tries, and whether a check is to be switched off; yields for
        each try ``None``, or what went wrong.
    """

    name: str
    tries: int
    run: Callable[[Place, int, bool], Iterator[str | None]]


PLANTED_TRIES = 40
"""So often at most is the planted defect tried: until it is reported."""


def survived(attack: Attack, place: Place, tries: int) -> tuple[int, list[str]]:
    """Return how many tries there were, and what went wrong."""
    found = list(attack.run(place, tries, False))
    return len(found), [fault for fault in found if fault is not None]


def reports_its_defect(attack: Attack, place: Place, tries: int) -> bool:
    """Return whether the attack finds a fault once its check is switched off."""
    return any(fault is not None for fault in attack.run(place, tries, True))
