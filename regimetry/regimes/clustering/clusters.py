"""k-means in the spectral coordinates, the same on every run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import ThreadpoolController

Array = NDArray[np.float64]
P = ParamSpec("P")
R = TypeVar("R")

_ROUNDING = 1e-4  # of embeddings in float32, once whitened


def cluster_centres(points: Array, n_clusters: int, *, seed: int, starts: int) -> Array:
    """Return the centres (K, L) of k-means with the best of several starts.

    With fewer distinct points than centres, the last centres repeat the first ones, and no point is
    nearest to them alone.

    Parameters
    ----------
    points : ndarray, shape (N, L)
    n_clusters : int
        K.
    seed : int
    starts : int
    """
    distinct = distinct_rows(points, n_clusters + 1)
    if len(distinct) <= n_clusters:
        return points[distinct[np.arange(n_clusters) % len(distinct)]]
    # k-means adds up its threads' sums in the order in which they finish: one thread repeats.
    with _threads().limit(limits=1, user_api="openmp"):
        fit = KMeans(n_clusters, n_init=starts, random_state=seed).fit(points)
    return np.asarray(fit.cluster_centers_, dtype=np.float64)


def in_one_thread(function: Callable[P, R]) -> Callable[P, R]:
    """Run a function of many small steps in one thread.

    Threads that share a small product wait for each other longer than the product takes, most of
    all on a busy machine. And one thread gives the same bits again.
    """

    @wraps(function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> R:
        with _threads().limit(limits=1):
            return function(*args, **kwargs)

    return limited


@cache
def _threads() -> ThreadpoolController:
    return ThreadpoolController()  # looking for the libraries takes as long as a small k-means


def distinct_rows(points: Array, enough: int) -> NDArray[np.int64]:
    """Return at most ``enough`` rows of points that differ from each other by more than rounding.

    Parameters
    ----------
    points : ndarray, shape (N, L)
        In units in which a typical distance is about 1.
    enough : int
        Rows to stop at.
    """
    found: list[int] = []
    left = np.arange(len(points))
    while len(left) and len(found) < enough:
        found.append(int(left[0]))
        apart = np.abs(points[left] - points[left[0]]).max(axis=1)
        left = left[apart > _ROUNDING]
    return np.array(found, dtype=np.int64)


def distances(points: Array, centres: Array) -> Array:
    """Return Euclidean distances (N, K)."""
    return np.linalg.norm(points[:, None, :] - centres, axis=2)


def nearest(points: Array, centres: Array) -> NDArray[np.intp]:
    """Return the number of the nearest centre of each point, (N,)."""
    return distances(points, centres).argmin(axis=1)
