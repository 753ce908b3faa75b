"""The whole analysis of a label sequence, in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from regimetry.analysis.changes import ChangePoints, change_points
from regimetry.analysis.dwell import DwellTimes, dwell_times
from regimetry.analysis.entropy import entropy_rate, transition_entropy
from regimetry.analysis.forecasts import forecast, hitting_times
from regimetry.analysis.geometric import GeometricTest, geometric_test
from regimetry.analysis.labels import Bools, Floats, Labels, require_labels
from regimetry.analysis.plain import plain
from regimetry.analysis.shown import Shown
from regimetry.analysis.spells import spells_of
from regimetry.analysis.stationary import Stationary, long_run, stationary_distribution
from regimetry.analysis.transitions import Transitions, estimate_transitions


@dataclass(frozen=True)
class Analysis(Shown):
    """The analysis of a label sequence; every field uses all bars given.

    Attributes
    ----------
    n_regimes : int
        K.
    bars, missing : int
        With and without a label.
    share : ndarray of float64, shape (K,)
        Of the labelled bars.
    transitions : Transitions
    dwell : DwellTimes
    geometric : GeometricTest
        Whether the spells are as those of a Markov chain.
    stationary : Stationary
        Of the empirical matrix.
    long_run : ndarray of float64, shape (K,)
        Time in each regime in the long run by the empirical matrix, from the last label.
    entropy : ndarray of float64, shape (K,)
        Of each row of the empirical matrix, in bits.
    entropy_rate : float
        In bits a bar, over ``long_run``.
    last : int
        The last label.
    forecast : ndarray of float64, shape (H, K)
        Distribution 1 to H bars after the last label, by the shrunk matrix.
    hitting : ndarray of float64, shape (K, K)
        Expected bars from regime i to regime j, by the shrunk matrix.
    changes : ChangePoints
    """

    n_regimes: int
    bars: int
    missing: int
    share: Floats
    transitions: Transitions
    dwell: DwellTimes
    geometric: GeometricTest
    stationary: Stationary
    long_run: Floats
    entropy: Floats
    entropy_rate: float
    last: int
    forecast: Floats
    hitting: Floats
    changes: ChangePoints

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {**plain(self), "is_reducible": not self.is_irreducible}

    @property
    def is_irreducible(self) -> bool:
        """Whether every regime leads to every other, as far as was seen."""
        return self.stationary.is_unique and not self.stationary.transient.any()


def analyse_labels(
    labels: Labels,
    n_regimes: int,
    *,
    probability: Floats | None = None,
    breaks: Bools | None = None,
    horizon: int = 20,
    level: float = 0.95,
) -> Analysis:
    """Describe a label sequence.

    Parameters
    ----------
    labels : ndarray of int, shape (T,)
        Negative where missing; missing labels never count as transitions.
    n_regimes : int
        K.
    probability : ndarray of float64, shape (T, K), or None
        Of each regime at each bar, for the strength of changes.
    breaks : ndarray of bool, shape (T,), or None
        True where a bar does not follow the one before it; no transition there.
    horizon : int
        H, bars to forecast.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Analysis

    Raises
    ------
    DataError
        No bar has a label, or the labels are of another model.
    """
    labels = require_labels(labels, n_regimes)
    present = labels >= 0
    transitions = estimate_transitions(labels, n_regimes, breaks=breaks, level=level)
    last = int(labels[np.flatnonzero(present)[-1]])
    start = np.eye(n_regimes)[last]
    shares = long_run(transitions.empirical, start)
    counts = np.bincount(labels[present], minlength=n_regimes)
    spells = spells_of(labels, breaks)
    return Analysis(
        n_regimes=n_regimes,
        bars=int(present.sum()),
        missing=int((~present).sum()),
        share=counts / present.sum(),
        transitions=transitions,
        dwell=dwell_times(spells, transitions),
        geometric=geometric_test(spells, n_regimes),
        stationary=stationary_distribution(transitions.empirical),
        long_run=shares,
        entropy=transition_entropy(transitions.empirical),
        entropy_rate=entropy_rate(transitions.empirical, shares),
        last=last,
        forecast=forecast(transitions.shrunk, start, horizon),
        hitting=hitting_times(transitions.shrunk),
        changes=change_points(labels, probability, breaks=breaks),
    )
