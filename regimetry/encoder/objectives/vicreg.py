"""VICReg on windows close in time: alike, each dimension alive, no two dimensions the same.

Bardes, Ponce, LeCun 2022, "VICReg: Variance-Invariance-Covariance Regularization for
Self-Supervised Learning", section 4.1 with its weights 25, 25, 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from regimetry.encoder.objectives.pairs import (
    no_target,
    projection_head,
    split_pairs,
    stack_pairs,
)
from regimetry.encoder.training.options import TrainingOptions
from regimetry.encoder.training.parts import Windows


def vicreg(first: Any, second: Any, invariance: float, variance: float, covariance: float) -> Any:
    """Return the weighted sum of the three terms.

    ``invariance`` times the mean squared difference of a pair; ``variance`` times the mean over
    dimensions of ``max(0, 1 - deviation)``; ``covariance`` times the sum of squared covariances of
    different dimensions over their number. The last two are summed over both halves.

    Parameters
    ----------
    first, second : tensors, shape (B, size)
        Row b of both is a pair.
    invariance, variance, covariance : float
        Weights.
    """
    size = first.shape[-1]
    loss = invariance * ops.mean(ops.square(first - second))
    for half in (first, second):
        centred = half - ops.mean(half, axis=0)
        products = ops.matmul(ops.transpose(centred), centred)
        products = products / ops.maximum(ops.cast(ops.shape(half)[0] - 1, half.dtype), 1.0)
        deviation = ops.sqrt(ops.diagonal(products) + 1e-4)
        others = products * (1.0 - ops.eye(size))
        # The paper halves the variance term over the two halves and sums the covariance term.
        loss += variance * ops.mean(ops.relu(1.0 - deviation)) / 2.0
        loss += covariance * ops.sum(ops.square(others)) / size
    return loss


@dataclass(frozen=True)
class NeighbourVicreg:
    """VICReg on pairs of windows at most ``reach`` bars apart.

    Parameters
    ----------
    reach : int
        Most bars between the members of a pair; the distance is drawn evenly from 1 on.
    invariance, variance, covariance : float
        Weights of the terms.
    size : int
        Of the projection that the loss sees.
    """

    reach: int = 10
    invariance: float = 25.0
    variance: float = 25.0
    covariance: float = 1.0
    size: int = 64

    @property
    def options(self) -> TrainingOptions:
        """Two hundred steps of 128 pairs."""
        return TrainingOptions(steps=200, batch_size=128)

    def attach(self, encoder: keras.Model, windows: Windows) -> keras.Model:
        """Return windows -> projections (2 batch, size)."""
        return projection_head(encoder, self.size)

    def loss(self, target: Any, output: Any) -> Any:
        """Return the three terms of the two halves of the batch."""
        first, second = split_pairs(output)
        return vicreg(first, second, self.invariance, self.variance, self.covariance)

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
