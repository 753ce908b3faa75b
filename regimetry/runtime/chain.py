"""The filter of a chain that stays with one probability and changes to all alike.

Exact, in about ``2 sqrt(T)`` vectorised steps instead of T: blocks of bars are reduced to their
K x K products side by side, a short pass joins the blocks, and a second one fills them in.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SMALLEST = 1e-300
"""Of a likelihood."""

_SCALED = 16  # steps after which sums are made 1 again: a step takes a few of 300 digits


def transition(n_states: int, stay: float) -> Array:
    """Return the matrix (K, K) that keeps a state with ``stay`` and changes to any other alike."""
    if n_states == 1:
        return np.ones((1, 1))
    matrix = np.full((n_states, n_states), (1.0 - stay) / (n_states - 1))
    np.fill_diagonal(matrix, stay)
    return matrix


def filtered(likelihood: Array, stay: float, begins: NDArray[np.bool_]) -> Array:
    """Return the probability (T, K) of each state given the bars up to its own.

    Parameters
    ----------
    likelihood : ndarray, shape (T, K)
        Of each bar in each state, up to a factor of its own; the largest of a row is 1.
    stay : float
        Probability of staying; all states are equally likely at first.
    begins : ndarray of bool, shape (T,)
        Bars that follow no other: there all states are equally likely again.
    """
    n_rows, n_states = likelihood.shape
    length = max(1, int(np.sqrt(n_rows)))
    count = -(-n_rows // length)
    padded = np.ones((count * length, n_states))
    padded[:n_rows] = likelihood
    # Blocks last: (step, state, block), so that every operation runs along them.
    steps = np.ascontiguousarray(padded.reshape(count, length, n_states).transpose(1, 2, 0))
    own, shared = _transitions(stay, n_states, begins, count, length)

    product = np.repeat(np.eye(n_states)[:, :, None], count, axis=2)
    for step in range(length):
        total = np.add.reduce(product, axis=1, keepdims=True)
        product = (own[step] * product + shared[step] * total) * steps[step]
        if step % _SCALED == 0:
            product /= np.maximum(product.max(axis=(0, 1)), SMALLEST)
    state = np.full(n_states, 1.0 / n_states)
    entering = np.empty((count, n_states))
    for block, matrix in enumerate(np.ascontiguousarray(product.transpose(2, 0, 1))):
        entering[block] = state
        state = state @ matrix
        state /= max(state.sum(), SMALLEST)

    result = np.empty_like(steps)
    states = np.ascontiguousarray(entering.T)
    for step in range(length):
        states = (own[step] * states + shared[step] * np.add.reduce(states)) * steps[step]
        if step % _SCALED == 0:
            states /= np.maximum(states.sum(axis=0), SMALLEST)
        result[step] = states
    return normalised(result.transpose(2, 0, 1).reshape(-1, n_states)[:n_rows])


def _transitions(
    stay: float, n_states: int, begins: NDArray[np.bool_], count: int, length: int
) -> tuple[Array, Array]:
    """Return what a state gets of its own probability and of all together, (step, block) each.

    The matrix of :func:`transition` is these two on the diagonal and everywhere.
    """
    change = (1.0 - stay) / (n_states - 1) if n_states > 1 else 0.0
    kept = stay - change if n_states > 1 else 1.0
    padded = np.zeros(count * length, dtype=np.bool_)
    padded[: len(begins)] = begins
    first = np.ascontiguousarray(padded.reshape(count, length).T)
    return np.where(first, 0.0, kept), np.where(first, 1.0 / n_states, change)


def normalised(weights: Array) -> Array:
    """Return weights over their sums along the last axis."""
    total = np.maximum(weights.sum(axis=-1, keepdims=True), SMALLEST)
    return np.asarray(weights / total)
