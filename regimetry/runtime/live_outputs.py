"""What a live series says of a bar besides the regime, and what the graph computes for it."""

from __future__ import annotations

from collections.abc import Iterable

from regimetry.contract import OUTPUT_NAMES
from regimetry.parameters import require_choice

DEFAULT = ("regime", "novelty")
DENSITY = "density"
"""What a density says of the row and of the next one; no output of the graph."""


def needed(outputs: Iterable[str], *besides: str) -> tuple[str, ...]:
    """Return the outputs of the graph that a live series reads, of those that were asked for.

    ``besides`` are names of what is no output of the graph and may be asked for.

    Labels follow from ``distance``, which is always there; the graph's own ``regime`` forgets.

    Raises
    ------
    ConfigError
        There is no such output.
    """
    asked = (outputs,) if isinstance(outputs, str) else tuple(outputs)
    for name in asked:
        require_choice("outputs", name, (*OUTPUT_NAMES, *besides))
    return ("distance", *(name for name in ("novelty", "embedding") if name in asked))
