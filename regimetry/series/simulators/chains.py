"""Paths of states: Markov chains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from regimetry.series.simulators.simulation import States, Values


def every_state_has_its_share(states: States, n_states: int) -> bool:
    """Return whether each state holds 5 % of the first 60 % of bars, and of the last 40 %."""
    cut = int(0.6 * len(states))
    return all(
        np.bincount(part, minlength=n_states).min() / len(part) >= 0.05
        for part in (states[:cut], states[cut:])
    )


def markov_states(n_rows: int, stay: Sequence[float], generator: np.random.Generator) -> States:
    """Draw a Markov chain with uniform jumps in which every state has its share of bars.

    Redrawn until every state holds at least 5 % of the bars in the first 60 % and in the last
    40 %, so that a fit on the one and a test on the other see all states.

    Parameters
    ----------
    n_rows : int
        T.
    stay : sequence of float
        Probability of staying in each state; the rest is shared by the other states.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (T,)
    """
    n_states = len(stay)
    while True:
        states = np.empty(n_rows, dtype=np.int64)
        states[0] = generator.integers(n_states)
        stays = generator.random(n_rows)
        others = generator.integers(1, n_states, n_rows)
        for row in range(1, n_rows):
            state = states[row - 1]
            moves = stays[row] >= stay[state]
            states[row] = (state + others[row]) % n_states if moves else state
        if every_state_has_its_share(states, n_states):
            return states


def uniform_jumps(stay: Sequence[float]) -> Values:
    """Return the transition matrix (K, K) that :func:`markov_states` draws from."""
    n_states = len(stay)
    matrix = np.repeat((1.0 - np.asarray(stay))[:, None] / max(1, n_states - 1), n_states, axis=1)
    np.fill_diagonal(matrix, stay)
    return matrix


def stationary_shares(transition: Values) -> Values:
    """Return the distribution (K,) that a transition matrix (K, K) leaves as it is."""
    n_states = len(transition)
    equations = np.vstack([transition.T - np.eye(n_states), np.ones(n_states)])
    solution: Values = np.linalg.lstsq(equations, np.eye(n_states + 1)[-1], rcond=None)[0]
    return solution


def stationary_chain(n_rows: int, transition: Values, generator: np.random.Generator) -> States:
    """Draw a Markov chain, stationary from the first bar, redrawn until every state occurs.

    Parameters
    ----------
    n_rows : int
        T.
    transition : ndarray of float64, shape (K, K)
        Rows sum to 1.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (T,)
    """
    n_states = len(transition)
    steps = np.cumsum(np.vstack([transition, stationary_shares(transition)]), axis=1)
    while True:
        draws = generator.random(n_rows)
        states = np.empty(n_rows, dtype=np.int64)
        state = n_states  # the row of the stationary distribution
        for row in range(n_rows):
            step = np.searchsorted(steps[state], draws[row], side="right")
            states[row] = state = min(int(step), n_states - 1)
        if len(np.unique(states)) == n_states:
            return states
