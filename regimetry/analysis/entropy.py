"""How uncertain the next bar's regime is, in bits."""

from __future__ import annotations

import numpy as np

from regimetry.analysis.labels import Floats


def transition_entropy(matrix: Floats) -> Floats:
    """Return the entropy of each row of a transition matrix (Shannon 1948).

    Parameters
    ----------
    matrix : ndarray of float64, shape (K, K)

    Returns
    -------
    ndarray of float64, shape (K,)
        In bits, 0 (the next regime is certain) to log2 K (any is as likely).
    """
    logs = np.log2(matrix, out=np.zeros(np.shape(matrix)), where=np.asarray(matrix) > 0)
    entropy: Floats = np.maximum(-(matrix * logs).sum(axis=1), 0.0)
    return entropy


def entropy_rate(matrix: Floats, weights: Floats) -> float:
    """Return the mean entropy of the next bar's regime, in bits per bar.

    Parameters
    ----------
    matrix : ndarray of float64, shape (K, K)
    weights : ndarray of float64, shape (K,)
        Share of time in each regime; the stationary distribution gives the chain's entropy rate.
    """
    return float(np.dot(weights, transition_entropy(matrix)))
