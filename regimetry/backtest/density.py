"""Densities of a bar's return given the bars before it: by labels, and by two rivals."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from regimetry.analysis.labels import Bools, Floats, Labels
from regimetry.backtest.bars import Bars

LEAST = 20
"""Returns that a regime needs for a density of its own; with fewer it has that of all."""

_SMALLEST = 1e-300


class Mixture(NamedTuple):
    """A mixture of Student t at each of R bars, of returns over a deviation.

    Attributes
    ----------
    values : ndarray of float64, shape (R,)
        Log return over ``scale``.
    scale : ndarray of float64, shape (R,)
        Deviation of the instrument in training; NaN where unknown.
    weights : ndarray of float64, shape (R, K)
        Known before the bar; NaN where missing.
    terms : list of (freedom, location, scale), length K
    """

    values: Floats
    scale: Floats
    weights: Floats
    terms: list[tuple[float, float, float]]

    def log_density(self) -> Floats:
        """Return the log density of each bar's log return, in nats, (R,)."""
        from scipy.stats import t

        density = np.column_stack([t.pdf(self.values, *term) for term in self.terms])
        mixed = (self.weights * density).sum(axis=1)
        return np.log(np.maximum(mixed, _SMALLEST)) - np.log(self.scale)

    def below(self) -> Floats:
        """Return the probability of a return at most as high as each bar's, (R,)."""
        from scipy.stats import t

        share = np.column_stack([t.cdf(self.values, *term) for term in self.terms])
        return np.asarray((self.weights * share).sum(axis=1))


def label_mixture(bars: Bars, labels: Labels, probability: Floats, known: Bools) -> Mixture:
    """Return what labels say of the next return: a mixture over regimes of Student t.

    Each is fitted to the returns that followed a training bar of the regime, so that it is one of
    the next bar; the weights are the probabilities of the bar before. Instruments share it after
    their returns are divided by the deviations of training.

    Parameters
    ----------
    bars : Bars
        R rows.
    labels : ndarray of int, shape (R,)
        Negative where missing.
    probability : ndarray of float64, shape (R, K)
    known : ndarray of bool, shape (R,)
        Rows that densities are fitted on.
    """
    from scipy.stats import t

    scale = deviations(bars, known)
    values = bars.log_returns / scale
    before = bars.earlier(labels.astype(np.float64))
    usable = known & np.isfinite(values) & (before >= 0)
    weights = np.column_stack([bars.earlier(column) for column in probability.T])
    terms = []
    for regime in range(weights.shape[1]):
        own = values[usable & (before == regime)]
        own = own if len(own) > LEAST else values[usable]
        terms.append(t.fit(own, floc=own.mean()))
    return Mixture(values, scale, weights, terms)


def one_density(bars: Bars, known: Bools) -> Floats:
    """Return the log density by one Student t fitted on training, (R,)."""
    alone = np.zeros(len(bars.time), np.int64)
    return label_mixture(bars, alone, np.ones((len(alone), 1)), known).log_density()


def ewma_density(bars: Bars, known: Bools, *, decay: float = 0.94, freedom: float = 6.0) -> Floats:
    """Return the log density by a Student t whose variance is an average of past squares, (R,).

    The variance of RiskMetrics (1996), begun with that of training; the mean is that of training.

    Parameters
    ----------
    bars, known
        As for :func:`label_mixture`.
    decay : float
        Weight of the variance of the bar before.
    freedom : float
        Degrees of freedom of the t.
    """
    from scipy.signal import lfilter
    from scipy.stats import t

    scale, result = deviations(bars, known), np.full(len(bars.time), np.nan)
    for begin, end in _stretches(bars):
        values = bars.log_returns[begin:end] / scale[begin:end]
        mean = np.nanmean(values[known[begin:end]]) if known[begin:end].sum() > 1 else np.nan
        away = np.nan_to_num(values - mean, nan=0.0)
        variance, _ = lfilter([1 - decay], [1, -decay], away**2, zi=[decay])
        last = np.concatenate([[1.0], variance[:-1]])
        sigma = np.sqrt(np.maximum(last, 1e-12) * (freedom - 2) / freedom)
        result[begin:end] = t.logpdf(values, freedom, mean, sigma) - np.log(scale[begin:end])
    return result


def deviations(bars: Bars, known: Bools) -> Floats:
    """Return the deviation of each row's instrument over the rows of training, (R,).

    NaN for an instrument that moved on fewer than two of them.
    """
    scale = np.full(len(bars.time), np.nan)
    values = bars.log_returns
    for begin, end in _stretches(bars):
        seen = values[begin:end][known[begin:end]]
        seen = seen[np.isfinite(seen)]
        if len(seen) > 1 and seen.std() > 0:
            scale[begin:end] = seen.std()
    return scale


def _stretches(bars: Bars) -> list[tuple[int, int]]:
    begins = np.flatnonzero(bars.first_rows()).tolist()
    return list(zip(begins, [*begins[1:], len(bars.time)], strict=True))
