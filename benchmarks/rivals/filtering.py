"""Inference in a hidden Markov chain whose parameters are known (Rabiner 1989)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def filtered(log_likelihood: Array, start: Array, transition: Array) -> Array:
    """Return Pr[S_t | Y_1..t], the forward pass: (T, K).

    Parameters
    ----------
    log_likelihood : ndarray, shape (T, K)
        Of bar t in each state.
    start : ndarray, shape (K,)
        Distribution of the first state.
    transition : ndarray, shape (K, K)
    """
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=1, keepdims=True))
    result = np.empty_like(likelihood)
    predicted = start
    for row, weight in enumerate(likelihood):
        joint = predicted * weight
        total = joint.sum()
        # A state that the prediction rules out may be the only one that the bar allows.
        result[row] = joint / total if total > 0 else weight / weight.sum()
        predicted = result[row] @ transition
    return result


def smoothed(log_likelihood: Array, start: Array, transition: Array) -> Array:
    """Return Pr[S_t | Y_1..T], which looks ahead: (T, K). Parameters as for :func:`filtered`."""
    result = filtered(log_likelihood, start, transition)
    for row in range(len(result) - 2, -1, -1):
        predicted = result[row] @ transition
        ratio = np.divide(result[row + 1], predicted, out=np.zeros_like(start), where=predicted > 0)
        result[row] *= transition @ ratio
        result[row] /= result[row].sum()
    return result


def best_path(log_likelihood: Array, start: Array, transition: Array) -> NDArray[np.int64]:
    """Return the most likely path of states (T,), which looks ahead (Viterbi 1967)."""
    with np.errstate(divide="ignore"):
        steps, value = np.log(transition), np.log(start) + log_likelihood[0]
    came_from = np.zeros(log_likelihood.shape, dtype=np.int64)
    for row in range(1, len(log_likelihood)):
        moves = value[:, None] + steps
        came_from[row] = moves.argmax(axis=0)
        value = moves.max(axis=0) + log_likelihood[row]
    path = np.empty(len(log_likelihood), dtype=np.int64)
    path[-1] = value.argmax()
    for row in range(len(path) - 1, 0, -1):
        path[row - 1] = came_from[row, path[row]]
    return path
