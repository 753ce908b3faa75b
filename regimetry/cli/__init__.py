"""The command line: one verb a file, heavy imports inside the verb.

Exit codes: 0 fine, 1 failure, 2 bad usage or input. Errors are one sentence on standard error.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from regimetry.cli import (
    analyse,
    compare,
    doctor,
    drift,
    embed,
    export,
    fit,
    inspect,
    predict,
    report,
    sample,
    serve,
    stream,
    verify,
)
from regimetry.cli.parser import VerbParser
from regimetry.errors import (
    ConfigError,
    DataError,
    ExportError,
    InstallError,
    ModelError,
    RegimetryError,
)

# In the order of the work: data, fit, use, reading, the file itself.
_VERBS = (
    *(sample, fit),
    *(predict, embed, stream, serve),
    *(analyse, drift, compare, report),
    *(inspect, verify, export, doctor),
)
_BAD_INPUT = (ConfigError, DataError, ExportError, InstallError, ModelError)


def build_parser() -> argparse.ArgumentParser:
    """Return the parser with every verb."""
    parser = argparse.ArgumentParser(
        prog="regimetry", description="Market regimes without labels, in one ONNX file."
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    verbs = parser.add_subparsers(title="verbs", metavar="verb", parser_class=VerbParser)
    for verb in _VERBS:
        verb.add_parser(verbs)
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
    parser = build_parser()
    options = parser.parse_args(arguments)
    if options.version:
        from importlib.metadata import version

        print(version("regimetry"))
        return 0
    if not hasattr(options, "run"):
        parser.print_help(sys.stderr)
        return 2
    try:
        options.run(options)
    except RegimetryError as error:
        if options.debug:
            raise
        print(f"regimetry: {error}", file=sys.stderr)
        return 2 if isinstance(error, _BAD_INPUT) else 1
    except KeyboardInterrupt:
        print("regimetry: stopped.", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader of our output is gone; close it now, so that Python does not try to at exit.
        sys.stdout = None
        return 1
    return 0
