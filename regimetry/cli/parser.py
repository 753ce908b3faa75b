"""The parser of one verb."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any


class VerbParser(argparse.ArgumentParser):
    """Takes files and options in any order.

    argparse alone fills an optional positional as soon as it meets the ones before it: with
    nothing, if an option follows, and the file that comes after the option is then too many.
    """

    _mixing = False

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Read the options first, then what is left."""
        if self._mixing:  # called by the method below, once for each of the two
            return super().parse_known_args(args, namespace)
        self._mixing = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._mixing = False
