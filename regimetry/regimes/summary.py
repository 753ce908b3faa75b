"""Describes the regimes of a fit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import spells_of
from regimetry.contract import RegimeSummary


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
