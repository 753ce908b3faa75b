"""The command line: one verb per file. Only the file of the verb that runs is imported.

Exit codes: 0 fine, 1 failure, 2 bad usage or input. Errors are one sentence on standard error;
with --json, one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from regimetry.cli.parser import VerbParser
from regimetry.cli.progress import close_bars
from regimetry.cli.verb import Verb, flag
from regimetry.errors import (
    ConfigError,
    DataError,
    DataWarning,
    ExportError,
    InstallError,
    ModelError,
    RegimetryError,
)

# In the order of the work: data, fit, use, reading, the file itself.
VERBS = (
    *("sample", "config", "search", "fit", "refit"),
    *("predict", "embed", "forecast", "stream", "serve"),
    *("analyse", "panel", "drift", "compare", "report", "backtest"),
    *("inspect", "verify", "bench", "export", "doctor", "completion"),
)
_BAD_INPUT = (ConfigError, DataError, ExportError, InstallError, ModelError)


def build_parser(names: Sequence[str] = VERBS) -> argparse.ArgumentParser:
    """Return the parser of the named verbs, every one by default."""
    parser = argparse.ArgumentParser(
        prog="regimetry", description="Market regimes without labels, in one ONNX file."
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    verbs = parser.add_subparsers(title="verbs", metavar="verb", parser_class=VerbParser)
    for name in names:
        module = import_module(f"regimetry.cli.{name}")
        verb: Verb = module.VERB
        one = verbs.add_parser(
            name, help=verb.help, description=verb.description, examples=verb.examples
        )
        for declare in (*verb.arguments, flag("--json", verb.json)):
            declare(one)
        one.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb.

    Parameters
    ----------
    arguments : sequence of str or None
        ``None`` takes the process's own.

    Returns
    -------
    int
        The exit code.
    """
    _open_standard_files()
    _allow_any_text()
    words = sys.argv[1:] if arguments is None else arguments
    first = next((word for word in words if not word.startswith("-")), None)
    options = build_parser([first] if first in VERBS else VERBS).parse_args(words)
    if options.version:
        from importlib.metadata import version

        print(version("regimetry"))
        return 0
    if not hasattr(options, "run"):
        build_parser().print_help(sys.stderr)
        return 2
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", DataWarning)
            options.notes = []
            warnings.showwarning = partial(_note, options.notes)
            _require_apart(options)
            options.run(options)
    except KeyboardInterrupt:
        return _fail(options, "stopped.", "interrupt", 1)
    except BrokenPipeError:
        # The reader of our output is gone; close it now, so that Python does not try to at exit.
        sys.stdout = None
        return 1
    except Exception as error:
        if options.debug:
            raise
        return _fail(options, *_sentence(error))
    return 0


def _require_apart(options: argparse.Namespace) -> None:
    """Raise :class:`ConfigError` if a verb would write over a file that it reads."""
    target = getattr(options, "output", None) or getattr(options, "destination", None)
    if not isinstance(target, Path) or not target.is_file():
        return
    for name, path in vars(options).items():
        other = isinstance(path, Path) and path is not target and path.exists()
        if other and path.samefile(target):
            raise ConfigError(
                f"{target} is read as {name} and would be written over. Name another output."
            )


def _note(said: list[str], message: Warning | str, kind: type[Warning], *where: Any) -> None:
    """Say a warning about data in one line, once, without its place in the source."""
    if not issubclass(kind, DataWarning):
        sys.stderr.write(warnings.formatwarning(message, kind, *where[:2]))
    elif str(message) not in said:
        said.append(str(message))
        print(f"regimetry: {message}", file=sys.stderr)


def _sentence(error: Exception) -> tuple[str, str, int]:
    """Return what to say of an error, its kind and the exit code."""
    kind = type(error).__name__
    if isinstance(error, RegimetryError):
        return str(error), kind, 2 if isinstance(error, _BAD_INPUT) else 1
    if isinstance(error, OSError):  # a full disk, a file that may not be read
        return f"{error}.", kind, 1
    if isinstance(error, MemoryError):
        return "The memory is too small for this; give fewer rows or columns.", kind, 1
    reason = next(iter(str(error).splitlines()), "")
    return (
        f"{kind} where none was expected ({reason}); --debug before the verb shows where. That is "
        "a mistake of regimetry's: please report it.",
        kind,
        1,
    )


def _fail(options: argparse.Namespace, text: str, kind: str, code: int) -> int:
    """Say on standard error what went wrong, as JSON if the verb was asked for it."""
    close_bars()
    if getattr(options, "json", False):
        line = json.dumps({"error": text, "kind": kind, "exit_code": code})
    else:
        line = f"regimetry: {text}"
    print(line, file=sys.stderr)
    return code


def _open_standard_files() -> None:
    """Let no file that is opened become the output or the errors of a process without them."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
    if sys.stderr is None:  # print would take standard output
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115


def _allow_any_text() -> None:
    """Let a console that lacks a character show its code rather than stop the verb."""
    for text in (sys.stdout, sys.stderr):
        if hasattr(text, "reconfigure"):
            text.reconfigure(errors="backslashreplace")
