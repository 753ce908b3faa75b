"""What a method says after one fit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.backtest.bars import Bars
from regimetry.backtest.density import label_mixture

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Density:
    """A predictive distribution at each of R bars, known before the bar.

    Attributes
    ----------
    log : ndarray, shape (R,)
        Log density of the bar's log return, in nats.
    below : ndarray, shape (R,)
        Probability of a return at most as high.
    """

    log: Floats
    below: Floats


@dataclass(frozen=True)
class Answer:
    """Of R bars, those of training first.

    Attributes
    ----------
    densities : dict of str to Density
        ``own``, the method's, and ``labels``, the one by its labels.
    probability : ndarray, shape (R, K)
        Causal: of each bar's regime given bars up to it; K is 1 for methods without regimes.
    """

    densities: dict[str, Density]
    probability: Floats

    @property
    def labels(self) -> NDArray[np.int64]:
        """Regime of the largest probability, (R,); -1 where missing."""
        missing = np.isnan(self.probability).any(axis=1)
        return np.where(missing, -1, np.nan_to_num(self.probability).argmax(axis=1))


def without_regimes(log: Floats, below: Floats) -> Answer:
    """Return the answer of a method that has a density alone."""
    return Answer({"own": Density(log, below)}, np.ones((len(log), 1)))


def by_labels(bars: Bars, probability: Floats, known: NDArray[np.bool_]) -> Density:
    """Return the density by causal probabilities, as the package's walk makes it."""
    labels = Answer({}, probability).labels
    mixture = label_mixture(bars, labels, probability, known)
    return Density(mixture.log_density(), mixture.below())


def by_chain(
    bars: Bars, filtered: Floats, transition: Floats, means: Floats, deviations: Floats
) -> Density:
    """Return the own density of a Gaussian hidden Markov model.

    Parameters
    ----------
    bars : Bars
        R rows.
    filtered : ndarray, shape (R, K)
        Of the state of each bar given bars up to it.
    transition : ndarray, shape (K, K)
    means, deviations : ndarray, shape (K,)
        Of the log return in each state.
    """
    from scipy.stats import norm

    weights = np.vstack([np.full((1, len(means)), np.nan), filtered[:-1] @ transition])
    values = bars.log_returns[:, None]
    density = (weights * norm.pdf(values, means, deviations)).sum(axis=1)
    below = (weights * norm.cdf(values, means, deviations)).sum(axis=1)
    return Density(np.log(np.maximum(density, 1e-300)), below)
