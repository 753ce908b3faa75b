"""Whether spells are as irregular as those of a Markov chain, whose lengths are geometric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Floats
from regimetry.analysis.spells import Spells

LEAST_SPELLS = 5
"""Of which both ends were seen; fewer are not tested."""

LEVEL = 0.05
"""Chance that any regime of a Markov chain is called regular or uneven (Bonferroni)."""

_MOST = 100  # spells: so many decide, and take a hundredth of a second
_DRAWS = 1999


@dataclass(frozen=True)
class GeometricTest:
    """Of the spells of each regime whose both ends were seen; arrays of shape (K,).

    Attributes
    ----------
    spells : ndarray of int64
        That were tested: all, or 100 of them, evenly spread over time.
    variation : ndarray of float64
        Deviation (n - 1) of their lengths over the mean; NaN with fewer than two.
    usual : ndarray of float64
        The same of geometric lengths of this number and sum, the mean over draws.
    p_value : ndarray of float64
        Two-sided; NaN with fewer than 5 spells.
    """

    spells: NDArray[np.int64]
    variation: Floats
    usual: Floats
    p_value: Floats

    @property
    def not_geometric(self) -> NDArray[np.bool_]:
        """Whether each regime's spells are told from geometric ones, at 5 % for all together."""
        tested = max(int(np.isfinite(self.p_value).sum()), 1)
        return np.asarray(self.p_value <= LEVEL / tested)  # NaN is never

    def words(self, names: Sequence[str]) -> str:
        """Say which of the named regimes' spells are not geometric, and what they are instead."""
        told = np.flatnonzero(self.not_geometric)
        found = ", ".join(
            f"{names[i]} (more {'regular' if self.variation[i] < self.usual[i] else 'uneven'}, "
            f"p {self.p_value[i]:.3f})"
            for i in told.tolist()
        )
        if found:
            return f"unlike those of a Markov chain: {found}; its forecasts are rough there"
        if np.isfinite(self.p_value).any():
            return "like those of a Markov chain"
        return f"not tested: no regime has {LEAST_SPELLS} whole spells"


def geometric_test(spells: Spells, n_regimes: int) -> GeometricTest:
    """Test whether the lengths of each regime's spells are geometric.

    The statistic is that of Greenwood (1946), the sum of squares, here as variation. Given their
    number and sum, geometric lengths are uniform over all ways to write that sum, whatever the
    chance to leave; so the test is exact but for the number of draws, and spells that are cut off
    may be left out without bias. It sees what is more regular than a chain's spells, as of fixed
    durations, and what is more uneven, as of a mixture of long and short ones.

    Parameters
    ----------
    spells : Spells
    n_regimes : int
        K.

    Returns
    -------
    GeometricTest
        It looks at all spells given. The draws have a fixed seed.
    """
    used = np.zeros(n_regimes, dtype=np.int64)
    variation, usual, p_value = np.full((3, n_regimes), np.nan)
    random = np.random.default_rng(0)
    for regime in range(n_regimes):
        length = spells.length[spells.complete & (spells.regime == regime)]
        if len(length) > _MOST:
            length = length[np.linspace(0, len(length) - 1, _MOST).astype(np.int64)]
        used[regime] = len(length)
        if len(length) < 2:
            continue
        variation[regime] = _variation(length)
        if len(length) >= LEAST_SPELLS:
            drawn = _variation(_uniform_lengths(len(length), int(length.sum()), random))
            usual[regime] = drawn.mean()
            p_value[regime] = _two_sided(variation[regime], drawn)
    return GeometricTest(used, variation, usual, p_value)


def _variation(length: NDArray[np.int64]) -> Floats:
    """Return deviation over mean along the last axis."""
    found: Floats = length.std(axis=-1, ddof=1) / length.mean(axis=-1)
    return found


def _uniform_lengths(number: int, total: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Draw uniformly among the ways to write ``total`` as a sum of ``number`` lengths from 1."""
    # Shares from a flat Dirichlet distribution make all counts with a given sum equally likely.
    shares = random.dirichlet(np.ones(number), _DRAWS)
    return 1 + random.multinomial(total - number, shares)


def _two_sided(found: float, drawn: Floats) -> float:
    """Return the p-value of a statistic among draws of it; rounding makes no difference."""
    tiny = 1e-9
    below = 1 + np.sum(drawn <= found + tiny)
    above = 1 + np.sum(drawn >= found - tiny)
    return float(min(1.0, 2.0 * min(below, above) / (1 + len(drawn))))
