"""VICReg on windows close in time: alike, each dimension alive, no two dimensions the same.

Bardes, Ponce, LeCun 2022, "VICReg: Variance-Invariance-Covariance Regularization for
Self-Supervised Learning", section 4.1 with its weights 25, 25, 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from keras import ops

from regimetry.encoder.objectives.pairs import NeighbourPairs


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
class NeighbourVicreg(NeighbourPairs):
    """VICReg on pairs of windows at most ``reach`` bars apart.

    Parameters
    ----------
    reach, size : int
        See :class:`~regimetry.encoder.objectives.pairs.NeighbourPairs`.
    invariance, variance, covariance : float
        Weights of the terms.
    """

    invariance: float = 25.0
    variance: float = 25.0
    covariance: float = 1.0

    def loss(self, target: Any, output: Any) -> Any:
        """Return the three terms of the two halves of the batch."""
        first, second = ops.split(output, 2)
        return vicreg(first, second, self.invariance, self.variance, self.covariance)
