"""What the commands of several benchmarks take."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable
from pathlib import Path

CHOICES = {"given": [False], "chosen": [True], "both": [False, True]}
"""By the name of ``--n-regimes``: whether K is chosen."""


def names_of(known: Iterable[str]) -> Callable[[str], list[str]]:
    """Return how to read names, such as ``s1,s2``; others than the known ones are refused."""

    def names(text: str) -> list[str]:
        found = text.split(",")
        unknown = [name for name in found if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(
                f"{', '.join(unknown)}: must be of {', '.join(known)}."
            )
        return found

    return names


def seeds(text: str) -> list[int]:
    """Read seeds, such as ``100-104`` or ``0,3``."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found.extend(range(int(first), int(last or first) + 1))
    return found


def add_choice(parser: argparse.ArgumentParser) -> None:
    """Add ``--n-regimes``."""
    parser.add_argument(
        "--n-regimes", choices=CHOICES, default="both", help="K given, chosen, or both (default)"
    )


def add_output(parser: argparse.ArgumentParser) -> None:
    """Add the folder of results."""
    parser.add_argument("-o", "--output", type=Path, default=Path("results"), help="folder")


def add_page(parser: argparse.ArgumentParser) -> None:
    """Add the page to write to."""
    parser.add_argument("--write", type=Path, help="Markdown file whose section to rewrite")


def add_run(parser: argparse.ArgumentParser, section: str) -> None:
    """Add how many fits run at once, where results are kept and what is written of them."""
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    add_output(parser)
    add_page(parser)
    parser.add_argument("--section", default=section, help="name of that section")
