"""Forward-backward over a chain that stays with one probability and changes to all alike.

Exact, in about ``2 sqrt(T)`` vectorised steps instead of T: blocks of bars are reduced to their
K x K products side by side, a short pass joins the blocks, and a second one fills them in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SMALLEST = 1e-300


@dataclass(frozen=True)
class Posterior:
    """What the whole series says of the state of every bar.

    Attributes
    ----------
    state : ndarray, shape (T, K)
        Probability of each state given all bars.
    log_likelihood : float
        Of all bars, in nats.
    stays : float
        Expected number of bars after which the state stays, of those that another follows.
    """

    state: Array
    log_likelihood: float
    stays: float


def transition(n_states: int, stay: float) -> Array:
    """Return the matrix (K, K) that keeps a state with ``stay`` and changes to any other alike."""
    if n_states == 1:
        return np.ones((1, 1))
    matrix = np.full((n_states, n_states), (1.0 - stay) / (n_states - 1))
    np.fill_diagonal(matrix, stay)
    return matrix


def filtered(likelihood: Array, matrix: Array, begins: NDArray[np.bool_]) -> Array:
    """Return the probability (T, K) of each state given the bars up to its own.

    Parameters
    ----------
    likelihood : ndarray, shape (T, K)
        Of each bar in each state, up to a factor of its own; the largest of a row is 1.
    matrix : ndarray, shape (K, K)
        Of transitions; all states are equally likely at first.
    begins : ndarray of bool, shape (T,)
        Bars that follow no other: there all states are equally likely again.
    """
    n_rows, n_states = likelihood.shape
    length = max(1, int(np.sqrt(n_rows)))
    count = -(-n_rows // length)
    padded = np.ones((count * length, n_states))
    padded[:n_rows] = likelihood
    blocks = padded.reshape(count, length, n_states)
    matrices = _matrices(matrix, begins, count, length)

    product = np.broadcast_to(np.eye(n_states), (count, n_states, n_states))
    for step in range(length):
        product = (product @ matrices[step]) * blocks[:, step, None, :]
        product = product / np.maximum(product.max(axis=(1, 2), keepdims=True), _SMALLEST)
    state = np.full(n_states, 1.0 / n_states)
    entering = np.empty((count, n_states))
    for block in range(count):
        entering[block] = state
        state = _normalised(state @ product[block])

    result = np.empty_like(blocks)
    states = entering
    for step in range(length):
        states = _normalised((states[:, None] @ matrices[step])[:, 0] * blocks[:, step])
        result[:, step] = states
    return result.reshape(-1, n_states)[:n_rows]


def _matrices(matrix: Array, begins: NDArray[np.bool_], count: int, length: int) -> list[Array]:
    """Return for each step of a block the matrices (count, K, K) into it."""
    padded = np.zeros(count * length, dtype=np.bool_)
    padded[: len(begins)] = begins
    uniform = np.full_like(matrix, 1.0 / len(matrix))
    first = padded.reshape(count, length, 1, 1)
    return [np.where(first[:, step], uniform, matrix) for step in range(length)]


def forward_backward(costs: Array, stay: float, begins: NDArray[np.bool_]) -> Posterior:
    """Return the posterior of the states under costs (T, K), minus log-likelihoods in nats.

    ``begins`` (T,) marks bars that follow no other: one series says nothing of the next.
    """
    n_states = costs.shape[1]
    least = costs.min(axis=1, keepdims=True)
    likelihood = np.maximum(np.exp(least - costs), _SMALLEST)
    matrix = transition(n_states, stay)
    joined = ~begins[1:, None]
    forward = filtered(likelihood, matrix, begins)
    # The same recursion on reversed time: the matrix is symmetric.
    last = np.append(begins[1:], True)  # of its series: the first one of reversed time
    backward = filtered(likelihood[::-1], matrix, last[::-1])[::-1]
    ahead = np.ones_like(forward)
    ahead[:-1] = np.where(joined, backward[1:] @ matrix, 1.0 / n_states)
    before = np.full_like(forward, 1.0 / n_states)
    before[1:] = np.where(joined, forward[:-1] @ matrix, 1.0 / n_states)
    evidence = np.log(np.sum(before * likelihood, axis=1)) - least[:, 0]

    kept = stay if n_states > 1 else 1.0
    staying = kept * np.sum(forward[:-1] * backward[1:], axis=1)
    both = np.sum(forward[:-1] * ahead[:-1], axis=1)
    return Posterior(
        state=_normalised(forward * ahead),
        log_likelihood=float(evidence.sum()),
        stays=float(np.sum((staying / np.maximum(both, _SMALLEST))[joined[:, 0]])),
    )


def _normalised(weights: Array) -> Array:
    total = np.maximum(weights.sum(axis=-1, keepdims=True), _SMALLEST)
    return np.asarray(weights / total)
