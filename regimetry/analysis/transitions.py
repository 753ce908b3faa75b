"""Transitions between regimes: counts, their shares, and how sure those are."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.agreement import contingency
from regimetry.analysis.labels import Bools, Floats, Labels, follows
from regimetry.analysis.shown import Shown


@dataclass(frozen=True)
class Transitions(Shown):
    """Estimates of the transition matrix; row i is what follows a bar in regime i.

    Attributes
    ----------
    counts : ndarray of int64, shape (K, K)
    empirical : ndarray of float64, shape (K, K)
        Shares of the counts; a regime that is never left or never seen keeps itself.
    shrunk : ndarray of float64, shape (K, K)
        Posterior mean, no entry 0: see :func:`shrunk_matrix`.
    lower, upper : ndarray of float64, shape (K, K)
        Wilson intervals of the shares, each entry by itself; 0 to 1 where nothing was seen.
    level : float
        Of the intervals.
    stickiness : ndarray of float64, shape (K,)
        Share of bars that are followed by the same regime; NaN where none was followed.
    """

    counts: NDArray[np.int64]
    empirical: Floats
    shrunk: Floats
    lower: Floats
    upper: Floats
    level: float
    stickiness: Floats


def transition_counts(
    labels: Labels, n_regimes: int, breaks: Bools | None = None
) -> NDArray[np.int64]:
    """Count transitions from each regime (row) to each regime (column), shape (K, K).

    A pair with a missing member, and a pair with a break between, is no transition.
    """
    labels = np.asarray(labels)
    after = np.flatnonzero(follows(labels, breaks))
    return contingency(labels[after - 1], labels[after], n_regimes, n_regimes)


def transition_matrix(labels: Labels, n_regimes: int, breaks: Bools | None = None) -> Floats:
    """Return the empirical transition matrix of a label sequence.

    Parameters
    ----------
    labels : ndarray of int, shape (T,)
        Negative where missing; a pair with a missing member is no transition.
    n_regimes : int
        K.
    breaks : ndarray of bool, shape (T,), or None
        True where a bar does not follow the one before it.

    Returns
    -------
    ndarray of float64, shape (K, K)
        Row i is the distribution of the next bar's regime after a bar in regime i. A regime that
        is never left or never seen keeps itself with probability 1.
    """
    return _shares(transition_counts(labels, n_regimes, breaks))


def _shares(counts: NDArray[np.int64]) -> Floats:
    totals = counts.sum(axis=1, keepdims=True)
    shares: Floats = np.divide(counts, totals, out=np.eye(len(counts)), where=totals > 0)
    return shares


def shrunk_matrix(counts: NDArray[np.int64]) -> Floats:
    """Return the posterior mean of each row under a Dirichlet prior that all rows share.

    The prior says that every regime stays as the average bar does, and goes anywhere else alike:
    ``s = (stays + 1) / (transitions + 2)`` on the diagonal, ``(1 - s) / (K - 1)`` elsewhere. It
    weighs as much as K bars, one an entry.

    Parameters
    ----------
    counts : ndarray of int, shape (K, K)

    Returns
    -------
    ndarray of float64, shape (K, K)
        A regime never seen has the prior's row.
    """
    n_regimes = len(counts)
    if n_regimes == 1:
        return np.ones((1, 1))
    stay = (np.trace(counts) + 1) / (counts.sum() + 2)
    prior = np.full(counts.shape, (1 - stay) / (n_regimes - 1))
    np.fill_diagonal(prior, stay)
    shrunk: Floats = (counts + n_regimes * prior) / (counts.sum(axis=1, keepdims=True) + n_regimes)
    return shrunk


def wilson_interval(
    hits: NDArray[np.integer], trials: NDArray[np.integer], level: float
) -> tuple[Floats, Floats]:
    """Return score intervals of binomial shares (Wilson 1927); 0 to 1 without trials.

    Parameters
    ----------
    hits, trials : ndarray of int
        Shapes that broadcast.
    level : float
        Coverage, such as 0.95.
    """
    hits, n = np.broadcast_arrays(np.asarray(hits, float), np.asarray(trials, float))
    z = NormalDist().inv_cdf(0.5 + level / 2)
    seen = np.maximum(n, 1.0)
    share = hits / seen
    centre = (share + z**2 / (2 * seen)) / (1 + z**2 / seen)
    half = z / (1 + z**2 / seen) * np.sqrt(share * (1 - share) / seen + (z / (2 * seen)) ** 2)
    lower = np.where((n > 0) & (hits > 0), np.clip(centre - half, 0, 1), 0.0)
    upper = np.where((n > 0) & (hits < n), np.clip(centre + half, 0, 1), 1.0)
    return lower, upper


def estimate_transitions(
    labels: Labels, n_regimes: int, *, breaks: Bools | None = None, level: float = 0.95
) -> Transitions:
    """Estimate the transition matrix, with shrinkage and intervals.

    Parameters
    ----------
    labels, n_regimes, breaks
        As for :func:`transition_matrix`.
    level : float
        Coverage of the intervals.

    Returns
    -------
    Transitions
    """
    counts = transition_counts(labels, n_regimes, breaks)
    totals = counts.sum(axis=1)
    lower, upper = wilson_interval(counts, totals[:, None], level)
    empirical = _shares(counts)
    return Transitions(
        counts=counts,
        empirical=empirical,
        shrunk=shrunk_matrix(counts),
        lower=lower,
        upper=upper,
        level=level,
        stickiness=np.where(totals > 0, np.diag(empirical), np.nan),
    )
