"""Change points, and how strong they are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Bools, Floats, Labels
from regimetry.analysis.spells import spells_of


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
        # Missing bars are in no spell; their NaN must not run through the sums.
        sums = np.cumsum(np.nan_to_num(probability), axis=0)
        sums = np.vstack([np.zeros(sums.shape[1]), sums])
        rises = [
            _mean(sums, spells.start[side], spells.length[side], after)
            - _mean(sums, spells.start[side], spells.length[side], before)
            for side in (first, second)
        ]
        strength = (rises[1] - rises[0]) / 2.0
    return ChangePoints(
        bar, before, after, spells.length[first], spells.length[second], margin, strength
    )


def _mean(
    sums: Floats,
    start: NDArray[np.int64],
    length: NDArray[np.int64],
    regime: NDArray[np.int64],
) -> Floats:
    means: Floats = (sums[start + length, regime] - sums[start, regime]) / length
    return means
