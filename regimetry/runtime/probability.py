"""Probabilities of regimes from the costs of the causal recursion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def probabilities(costs: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    """Return ``softmax(-sharpness * costs)`` along the last axis.

    The costs are those of the best path that ends in each regime, so this is the max-product
    filter of a hidden Markov model whose log-likelihoods are ``-sharpness * distance`` and whose
    changes cost ``sharpness * penalty``; its most likely regime is the causal label.

    Parameters
    ----------
    costs : ndarray of float64, shape (..., K)
    sharpness : float
        At least 0.

    Returns
    -------
    ndarray of float64, shape (..., K)
    """
    weights: NDArray[np.float64] = costs - costs.min(axis=-1, keepdims=True)
    weights *= -sharpness
    np.exp(weights, out=weights)
    weights /= weights.sum(axis=-1, keepdims=True)
    return weights
