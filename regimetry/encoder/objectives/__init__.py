"""Training objectives: one file each, registered by name; the names are known without Keras."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from regimetry.encoder.objectives.objective import Objective

__all__ = ["OBJECTIVES", "OF_EMBEDDINGS"]

OF_EMBEDDINGS = ("vamp2", "contrast", "vicreg")
"""Objectives that need the embedding of a window alone; the others score a token of every row."""


def _objective(module: str, name: str, reach: str = "") -> Callable[[int], Objective]:
    """Return what makes an objective; its parameter ``reach``, if it has one, is W."""

    def make(window_size: int) -> Objective:
        kind = getattr(import_module(f"{__name__}.{module}"), name)
        made: Objective = kind(**({reach: window_size} if reach else {}))
        return made

    return make


OBJECTIVES: dict[str, Callable[[int], Objective]] = {
    "vamp2": _objective("vamp", "Vamp2", "lag"),
    "masked": _objective("masked", "MaskedReconstruction"),
    "contrast": _objective("neighbours", "NeighbourContrast", "reach"),
    "vicreg": _objective("vicreg", "NeighbourVicreg", "reach"),
    "next_bar": _objective("next_bar", "NextBar"),
}
"""Name -> the objective with its defaults for windows of W rows."""
