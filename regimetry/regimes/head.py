"""The head: embeddings to distances from each regime's centroid, and to novelty.

embedding -> whiten -> slow directions -> spectral coordinates -> distance to K centroids.
Everything here is a fixed map once fitted; the exported graph holds the same arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from regimetry.errors import DataError
from regimetry.regimes.count import MOST_REGIMES, count_by_eigengap
from regimetry.regimes.slow import SlowDirections, fit_slow_directions
from regimetry.regimes.spectral import (
    SpectralMap,
    fit_spectral_map,
    local_scales,
    neighbour_rank,
    squared_distances,
    stratified_rows,
)

Array = NDArray[np.float64]

CAUSAL_PENALTY, WHOLE_SERIES_PENALTY = 1.0, 3.0
"""Prices of a change where windows tell the regimes apart, in units of distance (0 to 2)."""

_BLOCK = 8192  # windows mapped at once: bounds memory at 8192 x landmarks


@dataclass(frozen=True)
class Head:
    """A fitted head.

    Attributes
    ----------
    slow : SlowDirections
        Whitening of embeddings.
    projection : ndarray, shape (P, L)
        From whitened embeddings to slow directions.
    spectral : SpectralMap
        From slow directions to unit vectors (N, K).
    centroids : ndarray, shape (K, K)
        Of the regimes, in canonical order.
    novelty_landmarks : ndarray, shape (M, P)
        Whitened embeddings of the landmarks.
    novelty_scale : float
        Median over the training windows of the distance that novelty measures.
    eigenvalues : ndarray
        Of the affinity that chose or confirms the number of regimes.
    """

    slow: SlowDirections
    projection: Array
    spectral: SpectralMap
    centroids: Array
    novelty_landmarks: Array
    novelty_scale: float
    eigenvalues: Array

    def reordered(self, order: NDArray[np.integer]) -> Head:
        """Return the same with regime ``order[new]`` at place ``new``."""
        return replace(self, centroids=self.centroids[order])

    def outputs(self, embeddings: NDArray[np.floating]) -> dict[str, Array]:
        """Map embeddings to distances and novelty; the float64 twin of the exported graph.

        Parameters
        ----------
        embeddings : ndarray of float, shape (N, D)

        Returns
        -------
        distance : ndarray of float64, shape (N, K)
            Euclidean, to each regime's centroid in the spectral space.
        novelty : ndarray of float64, shape (N,)
            Distance to the 15th nearest landmark in the whitened space, over its median in
            training: 1 is typical.
        """
        white = self.slow.whiten(embeddings)
        coordinates = _by_block(lambda part: self.spectral.transform(part @ self.projection), white)
        distance = np.linalg.norm(coordinates[:, None, :] - self.centroids, axis=2)
        neighbour = _by_block(lambda part: _neighbour_distance(part, self.novelty_landmarks), white)
        return {"distance": distance, "novelty": neighbour / self.novelty_scale}


def _by_block(function: Callable[[Array], Array], rows: Array) -> Array:
    return np.concatenate([function(rows[i : i + _BLOCK]) for i in range(0, len(rows), _BLOCK)])


def _neighbour_distance(white: Array, landmarks: Array) -> Array:
    centre = landmarks.mean(axis=0)
    squared = squared_distances(white - centre, landmarks - centre)
    return local_scales(squared, neighbour_rank(len(landmarks)))


def canonical_order(
    labels: NDArray[np.integer], statistic: Array, n_regimes: int
) -> NDArray[np.intp]:
    """Return the old numbers of the regimes in order of the mean of ``statistic``, rising.

    ``order[new] = old``; regimes without a window come last.
    """
    counts = np.bincount(labels, minlength=n_regimes)
    sums = np.bincount(labels, weights=statistic, minlength=n_regimes)
    means = np.divide(sums, counts, out=np.full(n_regimes, np.inf), where=counts > 0)
    return np.argsort(means, kind="stable")


def slow_dimension(n_regimes: int) -> int:
    """Return how many slow directions separate K regimes: max(2 (K - 1), 3)."""
    return max(2 * (n_regimes - 1), 3)


def fit_head(
    embeddings: NDArray[np.floating],
    volatility: NDArray[np.floating],
    *,
    n_regimes: int | None,
    lag: int,
    n_landmarks: int = 1000,
    seed: int = 0,
) -> Head:
    """Fit the head on embeddings of windows in time order.

    Parameters
    ----------
    embeddings : ndarray of float, shape (N, D)
    volatility : ndarray of float, shape (N,)
        Of each window; regimes are numbered by its mean, the calmest 0.
    n_regimes : int or None
        K; ``None`` takes the eigengap's choice.
    lag : int
        W, in windows of stride 1.
    n_landmarks : int
        M, most landmarks.
    seed : int
        Of the landmarks and of k-means.

    Returns
    -------
    Head

    Raises
    ------
    DataError
        Fewer windows than regimes.
    """
    if len(embeddings) < max(2, n_regimes or 1):
        raise DataError(
            f"{len(embeddings)} windows cannot hold {n_regimes or 1} regimes; at least "
            f"{max(2, n_regimes or 1)} are needed. Give more rows or ask for fewer regimes."
        )
    generator = np.random.default_rng(seed)
    slow = fit_slow_directions(embeddings, lag)
    white = slow.whiten(embeddings)
    landmarks = white[stratified_rows(len(white), n_landmarks, generator)]

    candidates = fit_spectral_map(
        landmarks @ slow.projection(slow_dimension(MOST_REGIMES)), 1, MOST_REGIMES + 1
    )
    if n_regimes is None:
        n_regimes = count_by_eigengap(candidates.eigenvalues)
    projection = slow.projection(slow_dimension(n_regimes))
    spectral = fit_spectral_map(landmarks @ projection, n_regimes, n_regimes)
    coordinates = _by_block(lambda part: spectral.transform(part @ projection), white)
    # k-means adds up its threads' sums in the order in which they finish: one thread repeats.
    with threadpool_limits(1, user_api="openmp"):
        clusters = KMeans(n_regimes, n_init=10, random_state=seed).fit(coordinates)
    order = canonical_order(clusters.labels_, np.asarray(volatility, float), n_regimes)

    neighbour = _by_block(lambda part: _neighbour_distance(part, landmarks), white)
    return Head(
        slow=slow,
        projection=projection,
        spectral=spectral,
        centroids=np.asarray(clusters.cluster_centers_[order], dtype=np.float64),
        novelty_landmarks=landmarks,
        novelty_scale=max(float(np.median(neighbour)), 1e-6),
        eigenvalues=candidates.eigenvalues,
    )
