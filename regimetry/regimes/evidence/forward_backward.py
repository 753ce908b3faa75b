"""Forward-backward over a chain that stays with one probability and changes to all alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.runtime.chain import SMALLEST, Array, filtered, normalised, transition


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


def forward_backward(costs: Array, stay: float, begins: NDArray[np.bool_]) -> Posterior:
    """Return the posterior of the states under costs (T, K), minus log-likelihoods in nats.

    ``begins`` (T,) marks bars that follow no other: one series says nothing of the next.
    """
    n_states = costs.shape[1]
    least = costs.min(axis=1, keepdims=True)
    likelihood = np.maximum(np.exp(least - costs), SMALLEST)
    matrix = transition(n_states, stay)
    joined = ~begins[1:, None]
    # The same recursion on reversed time, behind the other: the matrix is symmetric.
    last = np.append(begins[1:], True)  # of its series: the first one of reversed time
    both = filtered(
        np.concatenate([likelihood, likelihood[::-1]]), stay, np.concatenate([begins, last[::-1]])
    )
    forward, backward = both[: len(costs)], both[: len(costs) - 1 : -1]
    ahead = np.ones_like(forward)
    ahead[:-1] = np.where(joined, backward[1:] @ matrix, 1.0 / n_states)
    before = np.full_like(forward, 1.0 / n_states)
    before[1:] = np.where(joined, forward[:-1] @ matrix, 1.0 / n_states)
    evidence = np.log(np.sum(before * likelihood, axis=1)) - least[:, 0]

    kept = stay if n_states > 1 else 1.0
    staying = kept * np.sum(forward[:-1] * backward[1:], axis=1)
    both = np.sum(forward[:-1] * ahead[:-1], axis=1)
    return Posterior(
        state=normalised(forward * ahead),
        log_likelihood=float(evidence.sum()),
        stays=float(np.sum((staying / np.maximum(both, SMALLEST))[joined[:, 0]])),
    )
