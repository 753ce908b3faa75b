"""Neighbour contrast: windows close in time are alike, the others of the batch are not.

The loss is NT-Xent of Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual
Representations", section 2.1; time takes the place of augmentation, as in Franceschi et al. 2019,
"Unsupervised Scalable Representation Learning for Multivariate Time Series".
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


def nt_xent(first: Any, second: Any, temperature: float) -> Any:
    """Return the normalised, temperature-scaled cross entropy of B pairs.

    ``- mean log( exp(cos(z_i, z_j) / t) / sum over k != i of exp(cos(z_i, z_k) / t) )``, over all
    2 B members i, j the other of its pair.

    Parameters
    ----------
    first, second : tensors, shape (B, size)
        Row b of both is a pair.
    temperature : float
        t, positive.
    """
    units = ops.concatenate([first, second], axis=0)
    units = units / ops.maximum(ops.norm(units, axis=1, keepdims=True), 1e-6)
    n = ops.shape(first)[0]
    similarity = ops.matmul(units, ops.transpose(units)) / temperature
    similarity = similarity - 1e9 * ops.eye(2 * n)
    partner = ops.concatenate([ops.arange(n, 2 * n), ops.arange(n)], axis=0)
    return ops.mean(ops.sparse_categorical_crossentropy(partner, similarity, from_logits=True))


@dataclass(frozen=True)
class NeighbourContrast:
    """NT-Xent on pairs of windows at most ``reach`` bars apart.

    Parameters
    ----------
    reach : int
        Most bars between the members of a pair; the distance is drawn evenly from 1 on.
    temperature : float
        Of the softmax.
    size : int
        Of the projection that the loss sees.
    """

    reach: int = 10
    temperature: float = 0.2
    size: int = 64

    @property
    def options(self) -> TrainingOptions:
        """Two hundred steps of 128 pairs."""
        return TrainingOptions(steps=200, batch_size=128)

    def attach(self, encoder: keras.Model, windows: Windows) -> keras.Model:
        """Return windows -> projections (2 batch, size)."""
        return projection_head(encoder, self.size)

    def loss(self, target: Any, output: Any) -> Any:
        """Return the contrast of the two halves of the batch."""
        first, second = split_pairs(output)
        return nt_xent(first, second, self.temperature)

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
