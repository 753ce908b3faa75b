"""Neighbour contrast: windows close in time are alike, the others of the batch are not.

The loss is NT-Xent of Chen et al. 2020, "A Simple Framework for Contrastive Learning of Visual
Representations", section 2.1; time takes the place of augmentation, as in Franceschi et al. 2019,
"Unsupervised Scalable Representation Learning for Multivariate Time Series".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from regimetry.encoder.objectives.pairs import NeighbourPairs


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
class NeighbourContrast(NeighbourPairs):
    """NT-Xent on pairs of windows at most ``reach`` bars apart.

    Parameters
    ----------
    reach, size : int
        See :class:`~regimetry.encoder.objectives.pairs.NeighbourPairs`.
    temperature : float
        Of the softmax.
    """

    temperature: float = 0.2

    def loss(self, target: Any, output: Any) -> Any:
        """Return the contrast of the two halves of the batch."""
        first, second = ops.split(output, 2)
        return nt_xent(first, second, self.temperature)
