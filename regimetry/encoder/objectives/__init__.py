"""Training objectives: one file each, registered by name in :data:`OBJECTIVES`."""

from __future__ import annotations

from collections.abc import Callable

from regimetry.encoder.objectives.masked import MaskedReconstruction
from regimetry.encoder.objectives.neighbours import NeighbourContrast
from regimetry.encoder.objectives.next_bar import NextBar
from regimetry.encoder.objectives.objective import Objective
from regimetry.encoder.objectives.vamp import Vamp2
from regimetry.encoder.objectives.vicreg import NeighbourVicreg

__all__ = ["OBJECTIVES", "Objective"]

OBJECTIVES: dict[str, Callable[[int], Objective]] = {
    "vamp2": lambda window_size: Vamp2(lag=window_size),
    "masked": lambda _: MaskedReconstruction(),
    "contrast": lambda window_size: NeighbourContrast(reach=window_size),
    "vicreg": lambda window_size: NeighbourVicreg(reach=window_size),
    "next_bar": lambda _: NextBar(),
}
"""Name -> the objective with its defaults for windows of W rows."""
