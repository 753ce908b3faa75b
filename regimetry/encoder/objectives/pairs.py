"""Pairs of windows of one series, which objectives on embeddings compare."""

from __future__ import annotations

from dataclasses import dataclass

import keras
import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.training.training_options import TrainingOptions
from regimetry.windows import Windows


def stack_pairs(
    windows: Windows, numbers: NDArray[np.int64], later: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the windows ``numbers``, then those ``later`` bars after them; (2 batch, W, F)."""
    return np.concatenate([windows.take(numbers), windows.take(numbers + later)])


def no_target(n_pairs: int) -> NDArray[np.float32]:
    """Return the target of an objective that compares outputs with each other."""
    return np.zeros((2 * n_pairs, 1), dtype=np.float32)


@dataclass(frozen=True)
class NeighbourPairs:
    """What objectives on pairs of neighbouring windows share; each adds its ``loss``.

    Parameters
    ----------
    reach : int
        Most bars between the members of a pair; the distance is drawn evenly from 1 on.
    size : int
        Of the projection that the loss sees.
    """

    reach: int = 10
    size: int = 64

    @property
    def options(self) -> TrainingOptions:
        """Two hundred steps of 128 pairs."""
        return TrainingOptions(steps=200, batch_size=128)

    def attach(self, encoder: keras.Model, windows: Windows) -> keras.Model:
        """Return windows -> projections (2 batch, size), a hidden and a linear layer further.

        The fit drops them. Chen et al. 2020, section 4.2: the loss shapes the projection, the
        embedding keeps more.
        """
        hidden = keras.layers.Dense(self.size, activation="relu", name="hidden")(encoder.output)
        projection = keras.layers.Dense(self.size, name="projection_head")(hidden)
        return keras.Model(encoder.input, projection)

    def batch(
        self,
        windows: Windows,
        numbers: NDArray[np.int64],
        generator: np.random.Generator,
        *,
        training: bool,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return pairs of windows, one half after the other."""
        later = generator.integers(1, self.reach + 1, len(numbers))
        return stack_pairs(windows, numbers, later), no_target(len(numbers))
