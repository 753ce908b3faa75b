"""Training objectives: one file each, registered by name in :data:`OBJECTIVES`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.objectives.masked import MaskedReconstruction


class Objective(Protocol):
    """What :func:`regimetry.encoder.training.train_encoder` needs of an objective."""

    def attach(self, encoder: Any) -> Any:
        """Return the Keras model to train, which shares the encoder's weights."""

    def loss(self, target: Any, output: Any) -> Any:
        """Return the scalar loss of one batch."""

    def batch(
        self, windows: NDArray[np.float32], index: NDArray[np.int64], generator: np.random.Generator
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the inputs and targets made of the windows ``index`` (batch,)."""


OBJECTIVES: dict[str, Callable[[], Objective]] = {"masked": MaskedReconstruction}
