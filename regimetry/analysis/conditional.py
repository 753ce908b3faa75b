"""Statistics of any column, regime by regime."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Floats, Labels
from regimetry.analysis.shown import Shown
from regimetry.errors import DataError

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True)
class ConditionalStatistics(Shown):
    """Statistics of a column in each regime; NaN where a regime has no value.

    Attributes
    ----------
    count : ndarray of int64, shape (K,)
        Bars with a label and a value.
    mean, deviation, lowest, highest : ndarray of float64, shape (K,)
        ``deviation`` divides by n - 1.
    levels : tuple of float
        Of the quantiles.
    quantiles : ndarray of float64, shape (K, Q)
        Linear between order statistics.
    """

    count: NDArray[np.int64]
    mean: Floats
    deviation: Floats
    lowest: Floats
    highest: Floats
    levels: tuple[float, ...]
    quantiles: Floats


def conditional_statistics(
    labels: Labels,
    column: NDArray[np.floating],
    n_regimes: int,
    *,
    levels: tuple[float, ...] = QUANTILES,
) -> ConditionalStatistics:
    """Describe a column in each regime.

    Parameters
    ----------
    labels : ndarray of int, shape (T,)
        Negative where missing.
    column : ndarray of float, shape (T,)
        NaN where missing.
    n_regimes : int
        K.
    levels : tuple of float
        Of the quantiles, 0 to 1.

    Returns
    -------
    ConditionalStatistics
    """
    values = np.asarray(column, dtype=np.float64)
    if values.shape != np.shape(labels):
        raise DataError(
            f"There are {len(labels)} labels and {len(values)} values; one of each per bar is "
            "needed."
        )
    chosen = np.where(np.isnan(values), -1, labels)
    count = np.bincount(chosen[chosen >= 0], minlength=n_regimes)
    numbers = np.full((4, n_regimes), np.nan)
    quantiles = np.full((n_regimes, len(levels)), np.nan)
    for regime in range(n_regimes):
        part = values[chosen == regime]
        if len(part):
            deviation = part.std(ddof=1) if len(part) > 1 else np.nan
            numbers[:, regime] = part.mean(), deviation, part.min(), part.max()
            quantiles[regime] = np.quantile(part, levels)
    mean, deviation, lowest, highest = numbers
    return ConditionalStatistics(count, mean, deviation, lowest, highest, levels, quantiles)
