"""Landmarks of the spectral map: even in time, or spread over the space.

Landmarks even in time lie where the series spends its time. The eigenvectors may then cut only
through common states and join rare ones. Landmarks spread over the space, as in landmark-based
spectral clustering (Cai, Chen 2015), repair this. But they leave a tight regime too few landmarks,
and may give the far tail of heavy-tailed data its own regime. So both are fitted. Spread ones are
taken if their regimes explain more of the slow directions and are as stable when blocks of the
series are resampled.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import Landmarks
from regimetry.regimes.choice.stability import stability
from regimetry.regimes.clustering.clusters import cluster_centres, lloyd, nearest
from regimetry.regimes.clustering.sampling import Array, Draw, even_rows, spread_rows
from regimetry.regimes.clustering.spectral import SpectralMap, fit_spectral_map
from regimetry.regimes.evidence.correlation_ratio import correlation_ratio

LEAST_GAIN = 0.05
"""Share of the slow directions that regimes on spread landmarks must explain beyond the others."""

MOST_LOSS = 0.05
"""Stability that they may lose by: about the standard error of a mean over the resamples."""

MOST_SPREAD = 500
"""Spread landmarks at most: with more they crowd where windows do, like those even in time."""

MOST_FITTED = 20_000
"""Windows that centroids are fitted on: enough, and fast."""

_MOST_EVEN = 500  # landmarks even in time of the fits that are compared
_MOST_LOOKED_AT = 5000  # windows that these explain
_COMPARED = 250  # windows that the labels of a resample are compared on


@dataclass(frozen=True)
class Clustering:
    """A map and the centroids in its coordinates.

    Attributes
    ----------
    spectral : SpectralMap
    centroids : ndarray, shape (K, K)
    coordinates : ndarray, shape (E, K)
        Of the windows that the centroids were fitted on.
    labels : ndarray of int, shape (E,)
        Their nearest centroids.
    """

    spectral: SpectralMap
    centroids: Array
    coordinates: Array
    labels: NDArray[np.intp]


def landmark_rows(
    drawn: Literal["even", "spread"],
    points: Array,
    even: NDArray[np.int64],
    fitted: NDArray[np.int64],
    seed: int,
) -> NDArray[np.int64]:
    """Return the landmarks of either kind; spread ones are as many, 500 at most.

    Parameters
    ----------
    drawn : {"even", "spread"}
    points : ndarray, shape (N, L)
        Windows in the slow directions, in time order.
    even : ndarray of int64, shape (M,)
        Landmarks even in time.
    fitted : ndarray of int64, shape (E,)
        Windows in time order that spread ones are drawn from.
    seed : int
    """
    if drawn == "even":
        return even
    count = min(len(even), MOST_SPREAD)
    return spread_rows(points, fitted, count, np.random.default_rng(seed))


def choose_landmarks(
    points: Array,
    even: NDArray[np.int64],
    fitted: NDArray[np.int64],
    n_regimes: int,
    *,
    block: int,
    seed: int,
) -> Landmarks:
    """Choose some landmarks even in time, or spread ones if these explain more.

    By quick fits, on 500 landmarks of either kind and 5000 windows. If every window is a landmark,
    there is nothing to choose.

    Parameters
    ----------
    points, even, fitted, seed
        As in :func:`landmark_rows`; points in float32 are enough.
    n_regimes : int
        K, at least 2.
    block : int
        Windows of a resampled block.
    """
    if len(even) == len(points):
        return Landmarks()
    looked_at = _thinned(fitted, _MOST_LOOKED_AT)
    some = points[looked_at]

    def fit(rows: NDArray[np.int64]) -> tuple[NDArray[np.intp], float]:
        found = cluster_on(points[rows], some, n_regimes, seed)
        return found.labels, correlation_ratio(some, found.labels)

    def resampled(labels: NDArray[np.intp], draw: Draw) -> float:
        rows, own = _thinned(looked_at, _COMPARED), _thinned(labels, _COMPARED)
        found = stability(points, rows, own, n_regimes, block=block, seed=seed, draw=draw)
        return float(found.mean())

    labels, share = fit(_thinned(even, _MOST_EVEN))
    other, other_share = fit(landmark_rows("spread", points, even, fitted, seed))
    landmarks = Landmarks(explained_even=share, explained_spread=other_share)
    if other_share < share + LEAST_GAIN:
        return landmarks
    before, after = resampled(labels, even_rows), resampled(other, spread_rows)
    landmarks = replace(landmarks, stability_even=before, stability_spread=after)
    return landmarks if after < before - MOST_LOSS else replace(landmarks, drawn="spread")


def cluster_on(
    landmarks: Array,
    points: Array,
    n_regimes: int,
    seed: int,
    start: NDArray[np.integer] | None = None,
) -> Clustering:
    """Cluster points (E, L) on the landmarks (M, L), one of the two ways or another.

    From labels of the points to ``start`` with, (E,), the clusters go on; without them, or where a
    label has no point, the best of several starts is taken.
    """
    spectral = fit_spectral_map(landmarks, n_regimes, n_regimes)
    coordinates = spectral.transform(points)
    if start is None or len(np.unique(start)) < n_regimes:
        centroids = cluster_centres(coordinates, n_regimes, seed=seed, starts=10)
    else:
        means = mean_by_label(coordinates, start, n_regimes)
        centroids = lloyd(coordinates, means[None])[0][0]
    return Clustering(spectral, centroids, coordinates, nearest(coordinates, centroids))


def mean_of_each(landmarks: Array, points: Array, labels: NDArray[np.integer]) -> Clustering:
    """Return the map on the landmarks (M, L), and the mean there of each label of points (E, L)."""
    count = int(labels.max()) + 1
    spectral = fit_spectral_map(landmarks, count, count)
    coordinates = spectral.transform(points)
    centroids = mean_by_label(coordinates, labels, count)
    return Clustering(spectral, centroids, coordinates, np.asarray(labels, np.intp))


def mean_by_label(coordinates: Array, labels: NDArray[np.integer], count: int) -> Array:
    """Return the mean (K, L) of the coordinates (E, L) of each label."""
    return np.stack([coordinates[labels == label].mean(axis=0) for label in range(count)])


def _thinned(rows: NDArray[Any], most: int) -> NDArray[Any]:
    return rows[:: -(-len(rows) // most)]
