"""Probabilities of regimes from the costs of the causal recursion."""

from __future__ import annotations

import math

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
        The least of each row is 0, as the recursion gives them.
    sharpness : float
        At least 0.

    Returns
    -------
    ndarray of float64, shape (..., K)
    """
    weights: NDArray[np.float64] = np.exp(-sharpness * costs)
    weights /= np.add.reduce(weights, axis=-1, keepdims=True)
    return weights


def probabilities_of_row(costs: NDArray[np.float64], sharpness: float) -> NDArray[np.float64]:
    """Return :func:`probabilities` of one row (K,), in a third of the time.

    Of a few numbers numpy's own work takes longer than the arithmetic, which counts in a tick.
    """
    weights = [math.exp(-sharpness * cost) for cost in costs.tolist()]
    total = sum(weights)
    return np.array([weight / total for weight in weights])
