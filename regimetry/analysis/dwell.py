"""How long regimes last: by the matrix, and as observed, also with spells that are cut off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Floats
from regimetry.analysis.shown import Shown
from regimetry.analysis.spells import Spells
from regimetry.analysis.transitions import Transitions


@dataclass(frozen=True)
class DwellTimes(Shown):
    """Lengths of the spells of each regime, in bars; arrays of shape (K,).

    Attributes
    ----------
    spells, complete : ndarray of int64
        All of them, and those of which both ends were seen.
    mean, longest : ndarray of float64
        Of all spells as far as they were seen; NaN without one.
    median : ndarray of float64
        Of the survival curve (Kaplan, Meier 1958), where a spell that is cut off counts as longer
        than it was seen; infinite if fewer than half are known to have ended.
    expected : ndarray of float64
        Bars until the regime is left by the transition matrix, ``1 / (1 - p_ii)``; by the same
        token the expected time to leave from any bar. Infinite if it never was left, NaN if it
        never was followed.
    lower, upper : ndarray of float64
        Of ``expected``, from the interval of p_ii.
    """

    spells: NDArray[np.int64]
    complete: NDArray[np.int64]
    mean: Floats
    longest: Floats
    median: Floats
    expected: Floats
    lower: Floats
    upper: Floats


def expected_dwell(matrix: Floats) -> Floats:
    """Return ``1 / (1 - p_ii)``, the expected bars until each regime is left; (K,).

    Infinite where the regime is never left.
    """
    leave = 1.0 - np.diag(matrix)
    bars: Floats = np.divide(1.0, leave, out=np.full(leave.shape, np.inf), where=leave > 0)
    return bars


def survival(length: NDArray[np.int64], ended: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Estimate the share of spells that last longer than a number of bars (Kaplan, Meier 1958).

    Parameters
    ----------
    length : ndarray of int64, shape (S,)
        As far as seen.
    ended : ndarray of bool, shape (S,)
        False where the spell may have been longer.

    Returns
    -------
    bars, share : ndarray of float64
        Lengths at which a spell ended, rising, and the share of spells longer than that.
    """
    bars, deaths = np.unique(length[ended], return_counts=True)
    at_risk = len(length) - np.searchsorted(np.sort(length), bars, side="left")
    return bars.astype(np.float64), np.cumprod(1.0 - deaths / at_risk, dtype=np.float64)


def dwell_times(spells: Spells, transitions: Transitions) -> DwellTimes:
    """Describe how long each regime lasts.

    Parameters
    ----------
    spells : Spells
    transitions : Transitions
        Of the same labels.

    Returns
    -------
    DwellTimes
    """
    n_regimes = len(transitions.counts)
    groups = [np.flatnonzero(spells.regime == regime) for regime in range(n_regimes)]
    median, longest = np.full(n_regimes, np.nan), np.full(n_regimes, np.nan)
    mean = np.full(n_regimes, np.nan)
    for regime, group in enumerate(groups):
        if not len(group):
            continue
        length = spells.length[group]
        mean[regime], longest[regime] = length.mean(), length.max()
        bars, share = survival(length, spells.complete[group])
        below = np.flatnonzero(share <= 0.5)
        median[regime] = bars[below[0]] if len(below) else np.inf
    followed = transitions.counts.sum(axis=1) > 0
    return DwellTimes(
        spells=np.array([len(group) for group in groups], dtype=np.int64),
        complete=np.array([spells.complete[group].sum() for group in groups], dtype=np.int64),
        mean=mean,
        longest=longest,
        median=median,
        expected=np.where(followed, expected_dwell(transitions.empirical), np.nan),
        lower=expected_dwell(transitions.lower),
        upper=expected_dwell(transitions.upper),
    )
