"""``regimetry completion``: a script that completes verbs, flags and files in a shell."""

from __future__ import annotations

import argparse
from typing import Any

SHELLS = ("bash", "zsh", "fish")

_FOLDERS = ("DIR",)
"""What the help calls a folder."""


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "completion",
        help="print a script for the shell's completion",
        description="Print a script that completes verbs, flags, their choices and files. It "
        "belongs to this release: print it again after an upgrade.",
        examples=[
            'eval "$(regimetry completion bash)"',
            "regimetry completion zsh > ~/.zfunc/_regimetry",
            "regimetry completion fish > ~/.config/fish/completions/regimetry.fish",
        ],
    )
    parser.add_argument("shell", choices=SHELLS, help="bash, zsh or fish")
    parser.add_argument(
        "--json", action="store_true", help="print an object with the shell and the script"
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print the script."""
    from regimetry.cli import build_parser
    from regimetry.cli.output import print_json

    script = script_for(options.shell, build_parser())
    if options.json:
        print_json({"shell": options.shell, "script": script})
    else:
        print(script)


def script_for(shell: str, parser: argparse.ArgumentParser) -> str:
    """Return the completion script of a parser.

    Raises
    ------
    InstallError
        shtab is not installed.
    """
    from regimetry.errors import InstallError

    try:
        import shtab
    except ModuleNotFoundError as error:
        raise InstallError(
            "shtab, which writes completions, is not installed. "
            "Run: pip install 'regimetry[completion]'."
        ) from error
    _mark_files(parser, shtab)
    script: str = shtab.complete(parser, shell=shell)
    return script


def _mark_files(parser: argparse.ArgumentParser, shtab: Any) -> None:
    """Tell shtab which arguments are paths: those that argparse makes a ``Path`` of."""
    from pathlib import Path

    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for verb in action.choices.values():
                _mark_files(verb, shtab)
        elif action.type is Path:
            folder = action.metavar in _FOLDERS
            action.complete = shtab.DIRECTORY if folder else shtab.FILE  # type: ignore[attr-defined]
