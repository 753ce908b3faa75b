"""k-means in the spectral coordinates, the same on every run."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

Array = NDArray[np.float64]


def cluster_centres(points: Array, n_clusters: int, *, seed: int, starts: int) -> Array:
    """Return the centres (K, L) of k-means with the best of several starts.

    Where there are fewer distinct points than centres, the last centres repeat the first ones, and
    no point is nearest to them alone.

    Parameters
    ----------
    points : ndarray, shape (N, L)
    n_clusters : int
        K.
    seed : int
    starts : int
    """
    distinct = np.unique(np.round(points, 9), axis=0)
    if len(distinct) <= n_clusters:
        return distinct[np.arange(n_clusters) % len(distinct)]
    # k-means adds up its threads' sums in the order in which they finish: one thread repeats.
    with threadpool_limits(1, user_api="openmp"):
        fit = KMeans(n_clusters, n_init=starts, random_state=seed).fit(points)
    return np.asarray(fit.cluster_centers_, dtype=np.float64)


def distances(points: Array, centres: Array) -> Array:
    """Return Euclidean distances (N, K)."""
    apart: Array = np.linalg.norm(points[:, None, :] - centres, axis=2)
    return apart


def nearest(points: Array, centres: Array) -> NDArray[np.intp]:
    """Return the number of the nearest centre of each point, (N,)."""
    return distances(points, centres).argmin(axis=1)
