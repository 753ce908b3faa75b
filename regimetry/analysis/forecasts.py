"""Forecasts, if the regimes are a Markov chain."""

from __future__ import annotations

import numpy as np

from regimetry.analysis.labels import Bools, Floats
from regimetry.analysis.stationary import reachable
from regimetry.errors import ConfigError


def forecast(matrix: Floats, start: Floats, horizon: int) -> Floats:
    """Forecast the distribution over regimes, ``start @ matrix^h``.

    Parameters
    ----------
    matrix : ndarray of float64, shape (K, K)
    start : ndarray of float64, shape (K,)
        Distribution of the current bar, such as its filtered probabilities.
    horizon : int
        H, at least 1.

    Returns
    -------
    ndarray of float64, shape (H, K)
        Row h - 1 is the distribution h bars on. It knows what ``start`` and ``matrix`` know.
    """
    if horizon < 1:
        raise ConfigError(f"horizon is {horizon}; it must be an integer of at least 1.")
    rows = np.empty((horizon, len(matrix)))
    now = np.asarray(start, dtype=np.float64)
    for row in rows:
        row[:] = now = now @ matrix
    return rows


def hitting_times(matrix: Floats) -> Floats:
    """Return the expected number of bars until a regime is first entered.

    Parameters
    ----------
    matrix : ndarray of float64, shape (K, K)

    Returns
    -------
    ndarray of float64, shape (K, K)
        Entry (i, j): from a bar in regime i to the first bar in regime j. 0 on the diagonal;
        infinite where j may never come.
    """
    matrix = np.asarray(matrix, dtype=np.float64)
    n_regimes = len(matrix)
    times = np.full((n_regimes, n_regimes), np.inf)
    for target in range(n_regimes):
        stopped = matrix.copy()
        stopped[target] = np.eye(n_regimes)[target]
        reach = reachable(stopped)
        certain: Bools = ~np.any(reach & ~reach[:, target], axis=1)
        certain[target] = False
        inner = np.ix_(certain, certain)
        times[certain, target] = np.linalg.solve(
            np.eye(int(certain.sum())) - matrix[inner], np.ones(int(certain.sum()))
        )
        times[target, target] = 0.0
    return times
