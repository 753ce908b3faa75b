"""``regimetry completion``: a script that completes verbs, flags and files in a shell."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from regimetry.cli.output import show
from regimetry.cli.verb import Verb, argument
from regimetry.errors import InstallError

SHELLS = ("bash", "zsh", "fish")

VERB = Verb(
    help="print a script for the shell's completion",
    description="Print a script that completes verbs, flags, their choices and files. It belongs "
    "to this release: print it again after an upgrade.",
    examples=[
        'eval "$(regimetry completion bash)"',
        "regimetry completion zsh > ~/.zfunc/_regimetry",
        "regimetry completion fish > ~/.config/fish/completions/regimetry.fish",
    ],
    arguments=[argument("shell", choices=SHELLS, help="bash, zsh or fish")],
    json="print an object with the shell and the script",
)


def run(options: argparse.Namespace) -> None:
    """Print the script."""
    from regimetry.cli import build_parser

    script = script_for(options.shell, build_parser())
    show(options, {"shell": options.shell, "script": script}, script)


def script_for(shell: str, parser: argparse.ArgumentParser) -> str:
    """Return the completion script of a parser.

    Raises
    ------
    InstallError
        shtab is not installed.
    """
    try:
        import shtab
    except ModuleNotFoundError as error:
        raise InstallError(
            "shtab, which writes completions, is not installed. "
            "Run: pip install 'regimetry[completion]'."
        ) from error
    _mark_files(parser, shtab)
    return shtab.complete(parser, shell=shell)


def _mark_files(parser: argparse.ArgumentParser, shtab: Any) -> None:
    """Tell shtab which arguments are paths: those that argparse makes a ``Path`` of."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                _mark_files(verb, shtab)
        elif action.type is Path:
            kind = shtab.DIRECTORY if action.metavar == "DIR" else shtab.FILE
            action.complete = kind  # type: ignore[attr-defined]
