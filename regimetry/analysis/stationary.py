"""The long run of a chain: closed classes, stationary distributions, the share of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regimetry.analysis.labels import Bools, Floats
from regimetry.analysis.shown import Shown


@dataclass(frozen=True)
class Stationary(Shown):
    """The stationary distributions of a chain that may be reducible.

    Attributes
    ----------
    closed : ndarray of bool, shape (C, K)
        Members of each closed class: sets of regimes that lead to each other and nowhere else.
    distributions : ndarray of float64, shape (C, K)
        The stationary distribution of each closed class; every mixture of them is stationary too.
    transient : ndarray of bool, shape (K,)
        Regimes that are left for good.
    """

    closed: Bools
    distributions: Floats
    transient: Bools

    @property
    def is_unique(self) -> bool:
        """Whether there is one closed class, so that the long run forgets the start."""
        return len(self.closed) == 1


def reachable(matrix: Floats) -> Bools:
    """Say which regime (column) can be reached from which (row), itself included; (K, K)."""
    reach = (np.asarray(matrix) > 0) | np.eye(len(matrix), dtype=np.bool_)
    for middle in range(len(reach)):
        reach |= reach[:, middle, None] & reach[middle]
    return reach


def stationary_distribution(matrix: Floats) -> Stationary:
    """Find the closed classes of a chain and their stationary distributions.

    Parameters
    ----------
    matrix : ndarray of float64, shape (K, K)
        Rows sum to 1.

    Returns
    -------
    Stationary
        Classes in the order of their first regime.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    reach = reachable(matrix)
    returns: Bools = np.all(reach <= reach.T, axis=1)  # all that i reaches leads back to i
    rows = np.unique(reach[returns], axis=0)[::-1]  # the first regime's class first
    distributions = np.zeros(rows.shape)
    for members, row in zip(rows, distributions, strict=True):
        row[members] = _irreducible(matrix[np.ix_(members, members)])
    return Stationary(closed=rows, distributions=distributions, transient=~returns)


def _irreducible(matrix: Floats) -> Floats:
    """Eliminate states without a subtraction (Grassmann, Taksar, Heyman 1985).

    Sticky chains are nearly decomposable, where solving the linear system cancels.
    """
    work = matrix.copy()
    for last in range(len(work) - 1, 0, -1):
        work[:last, last] /= work[last, :last].sum()
        work[:last, :last] += np.outer(work[:last, last], work[last, :last])
    weights = np.ones(len(work))
    for state in range(1, len(work)):
        weights[state] = weights[:state] @ work[:state, state]
    distribution: Floats = weights / weights.sum()
    return distribution


def long_run(matrix: Floats, start: Floats) -> Floats:
    """Return the share of time spent in each regime in the long run, from a given start.

    Parameters
    ----------
    matrix : ndarray of float64, shape (K, K)
    start : ndarray of float64, shape (K,)
        Distribution of the first bar.

    Returns
    -------
    ndarray of float64, shape (K,)
        Each closed class's stationary distribution, by the probability of ending in the class.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    found = stationary_distribution(matrix)
    absorbed = found.closed.T.astype(np.float64)  # (K, C)
    inner = found.transient
    if inner.any():
        stay = np.eye(int(inner.sum())) - matrix[np.ix_(inner, inner)]
        absorbed[inner] = np.linalg.solve(stay, matrix[inner] @ absorbed)
    ends = np.asarray(start, dtype=np.float64) @ absorbed
    return ends @ found.distributions
