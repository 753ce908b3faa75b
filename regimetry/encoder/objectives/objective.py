"""The interface between an objective and the training loop."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.training.training_options import TrainingOptions
from regimetry.windows import Windows


class Objective(Protocol):
    """The members that :func:`regimetry.encoder.training.train_encoder` needs.

    The ``repr`` names the class and its settings; a checkpoint belongs to one ``repr``.
    """

    @property
    def options(self) -> TrainingOptions:
        """The budget if the caller gives none: eight epochs of 64 windows."""
        return TrainingOptions()

    @property
    def reach(self) -> int:
        """How many bars after a drawn window its partner may lie; 0: it is its own target."""
        return 0

    def attach(self, encoder: Any, windows: Windows) -> Any:
        """Return the Keras model to train, which shares the encoder's weights.

        ``windows`` are those that train; what is fitted before the first step is fitted on them.
        """

    def loss(self, target: Any, output: Any) -> Any:
        """Return the scalar loss of one batch."""

    def batch(
        self,
        windows: Windows,
        numbers: NDArray[np.int64],
        generator: np.random.Generator,
        *,
        training: bool,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return inputs and targets made of the windows ``numbers``, which have their reach.

        Random changes that only help training are left out unless ``training``.
        """
