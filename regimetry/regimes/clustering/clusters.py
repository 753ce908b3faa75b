"""k-means in the spectral coordinates, the same on every run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController

from regimetry.regimes.clustering.seeding import plus_plus

Array = NDArray[np.floating]
P = ParamSpec("P")
R = TypeVar("R")

_ROUNDING = 1e-4  # of embeddings in float32, once whitened
_TRIED = 1000  # points that starts are compared on; the best goes on with all
_ITERATIONS = 300
_TOLERANCE = 1e-5  # of the variance of a column: a set that moves by less has come to rest


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
    generator = np.random.default_rng(seed)
    step = -(-len(points) // _TRIED)
    if len(distinct_rows(points[::step], n_clusters + 1)) <= n_clusters:
        step = 1  # a rare one would never be among the seeds
    some = points[::step]
    centres, inertia = lloyd(some, some[plus_plus(some, n_clusters, generator, starts)])
    best = centres[inertia.argmin()]
    return best if step == 1 else lloyd(points, best[None])[0][0]


def lloyd(points: Array, centres: Array) -> tuple[Array, Array]:
    """Improve several sets of centres side by side until none moves: Lloyd 1982.

    What scikit-learn's ``KMeans`` does with these as ``init``, up to rounding and but for an empty
    cluster, whose centre stays here. Ten starts on a thousand points take less time than one call
    of it.

    Parameters
    ----------
    points : ndarray, shape (N, L)
    centres : ndarray, shape (S, K, L)

    Returns
    -------
    centres : ndarray, shape (S, K, L)
    inertia : ndarray, shape (S,)
        Sum of squared distances of the points to their centres, less a constant.
    """
    n_sets, n_clusters, width = centres.shape
    counted = np.column_stack([points, np.ones(len(points), points.dtype)])
    columns = np.ascontiguousarray(counted.T)
    tolerance = _TOLERANCE * float(points.var(axis=0).mean())
    for _ in range(_ITERATIONS):
        squares = np.einsum("skl,skl->sk", centres, centres)
        rows = np.concatenate([-2.0 * centres, squares[:, :, None]], axis=2)
        # Squared distances less those of the points to 0, (S, K, N).
        score = (rows.reshape(-1, width + 1) @ columns).reshape(n_sets, n_clusters, -1)
        least = score.min(axis=1, keepdims=True)
        member = (score == least).astype(points.dtype)
        sums = (member.reshape(len(rows) * n_clusters, -1) @ counted).reshape(rows.shape)
        count = sums[:, :, -1:]
        moved = np.where(count > 0, sums[:, :, :-1] / np.maximum(count, 1.0), centres)
        shift = float(((moved - centres) ** 2).sum(axis=(1, 2)).max())
        centres = moved
        if shift <= tolerance:
            break
    return centres, least[:, 0].sum(axis=1)


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

    A row counts unless an earlier one that counts is as close; most often a few of the first do.

    Parameters
    ----------
    points : ndarray, shape (N, L)
        In units in which a typical distance is about 1.
    enough : int
        Rows to stop at.
    """
    found: list[int] = []
    start, size = 0, 8 * enough
    while start < len(points) and len(found) < enough:
        left = np.arange(start, min(start + size, len(points)))
        for known in found:
            left = left[_apart(points[left], points[known])]
        while len(left) and len(found) < enough:
            found.append(int(left[0]))
            left = left[_apart(points[left], points[left[0]])]
        start, size = start + size, 2 * size
    return np.array(found, dtype=np.int64)


def _apart(points: Array, point: Array) -> NDArray[np.bool_]:
    return np.asarray(np.abs(points - point).max(axis=1) > _ROUNDING)


def distances(points: Array, centres: Array) -> Array:
    """Return Euclidean distances (N, K)."""
    # By differences, not by products: a centre that is there twice is equally far, to the bit.
    apart = points[:, None, :] - centres
    return np.sqrt(np.einsum("nkl,nkl->nk", apart, apart))


def nearest(points: Array, centres: Array) -> NDArray[np.intp]:
    """Return the number of the nearest centre of each point, (N,)."""
    return distances(points, centres).argmin(axis=1)
