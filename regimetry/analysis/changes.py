"""Change points, and how strong they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Bools, Floats, Labels
from regimetry.analysis.spells import Spells, spells_of


class ChangePoints(NamedTuple):
    """Changes of regime in order of time; arrays of the same length.

    Attributes
    ----------
    bar : ndarray of int64
        First bar of the new regime.
    before, after : ndarray of int64
        Regimes.
    bars_before, bars_after : ndarray of int64
        Lengths of the two spells; the latter **looks ahead**.
    margin : ndarray of float64
        ``p_after - p_before`` at the bar of the change, by the probabilities given; NaN without.
        Knows what they know.
    strength : ndarray of float64
        Mean of ``p_after - p_before`` over the spell that follows, less its mean over the spell
        before, halved: 1 where either side is certain. **Looks ahead** over the spell that follows;
        NaN without probabilities.
    """

    bar: NDArray[np.int64]
    before: NDArray[np.int64]
    after: NDArray[np.int64]
    bars_before: NDArray[np.int64]
    bars_after: NDArray[np.int64]
    margin: Floats
    strength: Floats


def change_points(
    labels: Labels, probability: Floats | None = None, *, breaks: Bools | None = None
) -> ChangePoints:
    """Find the changes of regime; a missing label or a break makes none.

    Parameters
    ----------
    labels : ndarray of int, shape (T,)
        Negative where missing.
    probability : ndarray of float64, shape (T, K), or None
        Of each regime at each bar.
    breaks : ndarray of bool, shape (T,), or None
        True where a bar does not follow the one before it.

    Returns
    -------
    ChangePoints
    """
    spells = spells_of(labels, breaks)
    second = np.flatnonzero(spells.entered)
    first = second - 1
    bar, before, after = spells.start[second], spells.regime[first], spells.regime[second]
    margin = strength = np.full(len(bar), np.nan)
    if probability is not None:
        margin = probability[bar, after] - probability[bar, before]
        others = np.stack([spells.regime, spells.regime])  # of the spell before, and behind
        others[0, second], others[1, first] = before, after
        leads = [_mean_lead(probability, spells, other) for other in others]
        strength = (leads[0][second] + leads[1][first]) / 2.0
    return ChangePoints(
        bar, before, after, spells.length[first], spells.length[second], margin, strength
    )


def _mean_lead(probability: Floats, spells: Spells, other: NDArray[np.int64]) -> Floats:
    """Return the mean, over each spell, of its regime's probability over another's."""
    offsets = np.cumsum(spells.length) - spells.length
    rows = np.arange(spells.length.sum()) + np.repeat(spells.start - offsets, spells.length)
    own, rival = (np.repeat(regime, spells.length) for regime in (spells.regime, other))
    lead = probability[rows, own] - probability[rows, rival]
    return np.add.reduceat(lead, offsets) / spells.length
