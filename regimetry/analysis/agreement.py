"""How far two labellings of the same bars agree, for any numbering and any K."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.assignment import best_matching
from regimetry.analysis.labels import Floats, Labels
from regimetry.analysis.shown import Shown
from regimetry.errors import DataError


@dataclass(frozen=True)
class Agreement(Shown):
    """A comparison of two labellings, over the bars that both label.

    Attributes
    ----------
    bars : int
        That both label.
    counts : ndarray of int64, shape (K, L)
        Bars by old (row) and new (column) regime.
    mapping : ndarray of int64, shape (L,)
        The old regime that each new one stands for, one to one, so that most bars agree (Kuhn
        1955); -1 where the new regime has no counterpart.
    share : float
        Of bars whose new regime, mapped, is the old one.
    adjusted_rand : float
        Chance-corrected agreement, 1 for the same partition, about 0 for unrelated ones (Hubert,
        Arabie 1985); knows no mapping.
    recall : ndarray of float64, shape (K,)
        Share of each old regime's bars that keep it; NaN without a bar.
    """

    bars: int
    counts: NDArray[np.int64]
    mapping: NDArray[np.int64]
    share: float
    adjusted_rand: float
    recall: Floats


def agreement(old: Labels, new: Labels, n_old: int, n_new: int) -> Agreement:
    """Compare two labellings.

    Parameters
    ----------
    old, new : ndarray of int, shape (T,)
        Negative where missing.
    n_old, n_new : int
        K and L.

    Returns
    -------
    Agreement

    Raises
    ------
    DataError
        No bar has both labels.
    """
    both = (old >= 0) & (new >= 0)
    bars = int(both.sum())
    if not bars:
        raise DataError("No bar is labelled by both models; give more history.")
    counts = contingency(old[both], new[both], n_old, n_new)
    mapping = best_matching(counts.T)
    kept = np.zeros(n_old)
    matched = mapping >= 0
    kept[mapping[matched]] = counts[mapping[matched], np.flatnonzero(matched)]
    totals = counts.sum(axis=1)
    return Agreement(
        bars=bars,
        counts=counts,
        mapping=mapping,
        share=float(kept.sum() / bars),
        adjusted_rand=adjusted_rand(counts),
        recall=np.divide(kept, totals, out=np.full(n_old, np.nan), where=totals > 0),
    )


def contingency(old: Labels, new: Labels, n_old: int, n_new: int) -> NDArray[np.int64]:
    """Count bars by old (row) and new (column) regime, none missing; shape (K, L)."""
    codes = old.astype(np.int64) * n_new + new
    return np.bincount(codes, minlength=n_old * n_new).reshape(n_old, n_new)


def adjusted_rand(counts: NDArray[np.int64]) -> float:
    """Return the adjusted Rand index of a contingency table; 1 where both partitions are one set.

    Parameters
    ----------
    counts : ndarray of int, shape (K, L)
    """
    wide = counts.astype(np.float64)

    def pairs(sizes: Floats) -> float:
        return float((sizes * (sizes - 1)).sum() / 2)

    same, rows, columns = pairs(wide), pairs(wide.sum(axis=1)), pairs(wide.sum(axis=0))
    total = pairs(np.array([wide.sum()]))
    expected = rows * columns / total if total else 0.0
    most = (rows + columns) / 2
    return 1.0 if most == expected else (same - expected) / (most - expected)
