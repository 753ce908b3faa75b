"""Transitions between regimes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def transition_matrix(labels: NDArray[np.integer], n_regimes: int) -> NDArray[np.float64]:
    """Return the empirical transition matrix of a label sequence.

    Parameters
    ----------
    labels : ndarray of int, shape (T,)
        Negative where missing; a pair with a missing member is no transition.
    n_regimes : int
        K.

    Returns
    -------
    ndarray of float64, shape (K, K)
        Row i is the distribution of the next bar's regime after a bar in regime i. A regime that
        is never left or never seen keeps itself with probability 1.
    """
    before, after = labels[:-1], labels[1:]
    present = (before >= 0) & (after >= 0)
    counts = np.zeros((n_regimes, n_regimes))
    np.add.at(counts, (before[present], after[present]), 1.0)
    totals = counts.sum(axis=1, keepdims=True)
    matrix: NDArray[np.float64] = np.divide(counts, totals, out=np.eye(n_regimes), where=totals > 0)
    return matrix
