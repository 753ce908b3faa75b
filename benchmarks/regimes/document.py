"""Sections of a Markdown page that a command writes."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from regimetry.files import replacing


def command_of(package: str, arguments: Sequence[str] | None) -> str:
    """Return the command of a benchmark as it was typed; ``None``: what this process was given."""
    given = sys.argv[1:] if arguments is None else arguments
    return shlex.join(["python", "-m", f"benchmarks.{package}", *given])


def write_section(path: Path, name: str, text: str) -> None:
    """Put text between ``<!-- name -->`` and ``<!-- end of name -->``.

    Raises
    ------
    ValueError
        The page does not have the two lines, once each.
    """
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    page = path.read_text()
    section = re.compile(f"{re.escape(begin)}\n.*?{re.escape(end)}", re.DOTALL)
    if len(section.findall(page)) != 1:
        raise ValueError(f"{path} must have the lines {begin} and {end}, once each and in order.")
    with replacing(path) as temporary:
        temporary.write_text(section.sub(lambda _: f"{begin}\n{text.strip()}\n{end}", page))
