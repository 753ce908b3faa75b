"""How sure the causal labels are: temperature scaling (Guo et al. 2017)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from regimetry.runtime.recursion import probabilities
from regimetry.windows import with_later


def fit_inverse_temperature(
    costs: NDArray[np.float64],
    hindsight: NDArray[np.int64],
    bars_until_label: int,
    offsets: NDArray[np.int64],
) -> float:
    """Fit the number that turns causal costs into probabilities.

    The b of ``softmax(-b * costs)`` with the least log loss, where the target of a bar is the label
    that the whole series gives it. A model file calls it ``sharpness``.

    Parameters
    ----------
    costs : ndarray of float64, shape (N, K)
        Of the causal recursion; row i stands at the last bar of window i.
    hindsight : ndarray of int64, shape (N,)
        Of the whole-series path.
    bars_until_label : int
        Bars between the one that an entry of ``hindsight`` stands at and the last of its window.
    offsets : ndarray of int64, shape (I + 1,)
        Boundaries of series that lie one after the other.

    Returns
    -------
    float
        Between 0.1 and 50; 1 for a single regime.
    """
    if costs.shape[1] == 1:
        return 1.0
    shift = min(bars_until_label, int(np.diff(offsets).max()) - 1)
    rows = with_later(offsets, shift)
    causal, target = costs[rows], hindsight[rows + shift]

    def log_loss(logarithm: float) -> float:
        chosen = probabilities(causal, np.exp(logarithm))[np.arange(len(target)), target]
        return float(-np.log(np.maximum(chosen, 1e-300)).mean())

    fit = minimize_scalar(log_loss, bounds=(np.log(0.1), np.log(50.0)), method="bounded")
    return float(np.exp(fit.x))
