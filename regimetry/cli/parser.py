"""The parser of one verb."""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn


class _HelpFormatter(argparse.HelpFormatter):
    """Wraps the description, and leaves the lines of the examples as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if text.startswith("examples:"):
            return textwrap.indent(text, indent)
        return super()._fill_text(text, width, indent)


class VerbParser(argparse.ArgumentParser):
    """Takes files and options in any order, and shows examples.

    argparse alone fills an optional positional as soon as it meets the ones before it: with
    nothing, if an option follows, and the file that comes after the option is then too many.

    Parameters
    ----------
    examples : sequence of str
        Commands that the help ends with.
    **settings
        As for ``argparse.ArgumentParser``.
    """

    _mixing = False
    _asks_json = False

    def __init__(self, *, examples: Sequence[str] = (), **settings: Any) -> None:
        self.examples = tuple(examples)
        if examples:
            settings["epilog"] = "\n  ".join(["examples:", *examples])
        super().__init__(**{"formatter_class": _HelpFormatter, **settings})

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Read the options first, then what is left."""
        if self._mixing:  # called by the method below, once for each of the two
            return super().parse_known_args(args, namespace)
        self._mixing = True
        self._asks_json = "--json" in (args or ())
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False

    def error(self, message: str) -> NoReturn:
        """Exit with 2 and one sentence; as JSON, if that is what the verb was asked for."""
        if self._asks_json:
            print(json.dumps({"error": message, "kind": "usage", "exit_code": 2}), file=sys.stderr)
            raise SystemExit(2)
        super().error(message)
