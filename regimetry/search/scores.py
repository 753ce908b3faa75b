"""Three scores of a configuration: stable, separated, predictable. Higher is better in each.

Every score is made of labels or windows that the model which gave them was not fitted on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import agreement
from regimetry.analysis.transitions import shrunk_matrix, transition_counts
from regimetry.errors import DataError

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

MOST_POINTS = 1000
"""Windows of one silhouette; its time grows with their square."""

MOST_OFFSETS = 10
"""Silhouettes that are averaged."""


def label_stability(first: Labels, second: Labels, n_first: int, n_second: int) -> float:
    """Return the adjusted Rand index of two models' labels of the same bars.

    Parameters
    ----------
    first, second : ndarray of int64, shape (T,)
        By the model of the first half and by that of the second; -1 where missing.
    n_first, n_second : int
        Regimes of each.

    Returns
    -------
    float
        1 for the same partition, about 0 for unrelated ones (Hubert, Arabie 1985). 0 where one of
        them uses a single regime: then there is no partition to agree on.

    Raises
    ------
    DataError
        No bar has both labels.
    """
    found = agreement(first, second, n_first, n_second)
    used = [np.count_nonzero(found.counts.sum(axis=axis)) for axis in (0, 1)]
    return 0.0 if min(used) < 2 else found.adjusted_rand


def separation(points: Array, labels: Labels, step: int) -> float:
    """Return how far regimes lie apart, beyond what cutting up a single cloud would give.

    The mean silhouette (Rousseeuw 1987) of windows that share no row, less that of k-means with
    as many clusters on a Gaussian cloud of the same covariance: a reference without clusters, as
    for the gap statistic (Tibshirani, Walther, Hastie 2001), makes K and L comparable. Every
    ``step``-th window is taken, from each of up to :data:`MOST_OFFSETS` first windows in turn.

    Parameters
    ----------
    points : ndarray of float64, shape (N, L)
        Windows in time order, stride 1, in the slow directions.
    labels : ndarray of int64, shape (N,)
        Causal label of each.
    step : int
        Rows of a window.

    Returns
    -------
    float
        -2 to 2; about 0 or below without clusters. -1 where only one regime is seen.
    """
    n_seen = len(np.unique(labels))
    stride = max(step, -(-len(points) // MOST_POINTS))
    if not 1 < n_seen < len(points[::stride]):
        return -1.0
    offsets = np.unique(np.linspace(0, stride - 1, MOST_OFFSETS).astype(int))
    found = [silhouette(points[offset::stride], labels[offset::stride]) for offset in offsets]
    return float(np.mean(found)) - cloud_silhouette(points, n_seen, len(points[::stride]))


def silhouette(points: Array, labels: Labels) -> float:
    """Return the mean silhouette; 0 where scikit-learn has none: one regime, or each point its own.

    A point alone in its regime counts as 0.
    """
    from sklearn.metrics import silhouette_score

    n_seen = len(np.unique(labels))
    return float(silhouette_score(points, labels)) if 1 < n_seen < len(labels) else 0.0


def cloud_silhouette(points: Array, n_clusters: int, size: int) -> float:
    """Return the silhouette of k-means on ``size`` draws of a Gaussian shaped as ``points``."""
    from sklearn.cluster import KMeans

    generator = np.random.default_rng(0)
    covariance = np.atleast_2d(np.cov(points, rowvar=False))
    cloud = generator.multivariate_normal(np.zeros(len(covariance)), covariance, size)
    return silhouette(cloud, KMeans(n_clusters, n_init=3, random_state=0).fit_predict(cloud))


def predictability(past: Labels, future: Labels, n_regimes: int, horizon: int) -> float:
    """Return how much of the labels' entropy the past's Markov chain explains in the future.

    ``(L - L0) / H``. L is the mean log likelihood per bar of the future labels, each given the
    label ``horizon`` bars before it, under the transition matrix of the past to that power. L0 is
    the same for a forecast that does not know the present: the shares of the regimes in past and
    future together. H is the entropy of those shares.

    The division makes K comparable: more regimes mean more entropy to explain. The horizon makes
    W comparable: it is one number for a whole search, no less than its largest window, so that
    the windows behind the two labels of a pair share no row. Over one bar, labels of long windows
    would persist on noise, too.

    Parameters
    ----------
    past, future : ndarray of int64
        Consecutive labels, none missing.
    n_regimes : int
        K.
    horizon : int
        Bars between the two labels of a pair.

    Returns
    -------
    float
        1: the present tells the regime ``horizon`` bars on. 0 or below: it tells nothing that
        holds. 0 where a single regime is seen.

    Raises
    ------
    DataError
        No pair in the future, or none in the past.
    """
    if len(past) < 2 or len(future) <= horizon:
        raise DataError(
            f"{len(past)} past and {len(future)} future labels hold no pair {horizon} bars apart. "
            "Give more rows or smaller windows."
        )
    shares = np.bincount(np.concatenate([past, future]), minlength=n_regimes)
    shares = shares / shares.sum()
    logs = np.log(np.where(shares > 0, shares, 1.0))
    entropy = -float(shares @ logs)
    if not entropy > 0:
        return 0.0
    matrix = np.linalg.matrix_power(shrunk_matrix(transition_counts(past, n_regimes)), horizon)
    before, after = future[:-horizon], future[horizon:]
    return float((np.log(matrix[before, after]) - logs[after]).mean()) / entropy


def log_likelihood(past: Labels, future: Labels, n_regimes: int) -> float:
    """Return the mean log likelihood per bar, in nats, of the future labels under the past's chain.

    Over one bar and not normalised: it depends on K and W, and ranks nothing.
    """
    matrix = shrunk_matrix(transition_counts(past, n_regimes))
    return float(np.log(matrix[future[:-1], future[1:]]).mean())
