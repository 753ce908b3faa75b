"""What the regimes of a fit are like, and how sure their labels are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from regimetry.analysis import spells_of
from regimetry.contract import RegimeSummary
from regimetry.runtime.recursion import probabilities
from regimetry.windows import with_later


def summarise(
    labels: NDArray[np.int64],
    features: NDArray[np.floating],
    n_regimes: int,
    names: Sequence[str] | None = None,
    begins: NDArray[np.bool_] | None = None,
) -> tuple[RegimeSummary, ...]:
    """Describe each regime over its bars.

    Parameters
    ----------
    labels : ndarray of int64, shape (N,)
        Causal labels.
    features : ndarray of float, shape (N, F)
        Transformed, not yet scaled features of the same bars.
    n_regimes : int
        K.
    names : sequence of str or None
        Of the regimes; ``None`` takes ``regime_0``, ``regime_1`` and so on.
    begins : ndarray of bool, shape (N,), or None
        Bars that follow no other.

    Returns
    -------
    tuple of RegimeSummary
        A regime without a bar has share 0 and statistics 0.
    """
    spells = spells_of(labels, begins)
    summaries = []
    for regime in range(n_regimes):
        lengths = spells.length[spells.regime == regime]
        rows = np.asarray(features[labels == regime], dtype=np.float64)
        if not len(rows):
            rows = np.zeros((1, features.shape[1]))
        summaries.append(
            RegimeSummary(
                name=f"regime_{regime}" if names is None else names[regime],
                share=float(np.mean(labels == regime)),
                spells=len(lengths),
                mean_dwell=float(lengths.mean()) if len(lengths) else 0.0,
                mean=tuple(rows.mean(axis=0).tolist()),
                deviation=tuple(rows.std(axis=0).tolist()),
            )
        )
    return tuple(summaries)


def fit_sharpness(
    costs: NDArray[np.float64],
    hindsight: NDArray[np.int64],
    bars_until_label: int,
    offsets: NDArray[np.int64],
) -> float:
    """Fit the one number that turns causal costs into probabilities.

    Temperature scaling (Guo et al. 2017): the sharpness of ``softmax(-sharpness * costs)`` with
    the least log loss, where the target of a bar is the label that the whole series gives it.

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

    def log_loss(log_sharpness: float) -> float:
        chosen = probabilities(causal, np.exp(log_sharpness))[np.arange(len(target)), target]
        return float(-np.log(np.maximum(chosen, 1e-300)).mean())

    fit = minimize_scalar(log_loss, bounds=(np.log(0.1), np.log(50.0)), method="bounded")
    return float(np.exp(fit.x))
