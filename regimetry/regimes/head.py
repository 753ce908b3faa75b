"""The head: embeddings to distances from each regime's centroid.

embedding -> whiten -> slow directions -> spectral coordinates -> distance to K centroids.
Everything here is a fixed map once fitted; the exported graph holds the same arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

from regimetry.errors import DataError
from regimetry.regimes.count import MOST_REGIMES, count_by_eigengap
from regimetry.regimes.slow import SlowDirections, by_block, fit_slow_directions
from regimetry.regimes.spectral import (
    SpectralMap,
    fit_spectral_map,
    stratified_rows,
)

Array = NDArray[np.float64]

_MOST_FITTED = 20_000  # windows that centroids are fitted on: enough, and fast


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
    eigenvalues : ndarray
        Of the affinity that chose or confirms the number of regimes.
    """

    slow: SlowDirections
    projection: Array
    spectral: SpectralMap
    centroids: Array
    eigenvalues: Array

    def outputs(self, embeddings: NDArray[np.floating]) -> dict[str, Array]:
        """Map embeddings to distances; the float64 twin of the exported graph.

        Parameters
        ----------
        embeddings : ndarray of float, shape (N, D)

        Returns
        -------
        distance : ndarray of float64, shape (N, K)
            Euclidean, to each regime's centroid in the spectral space.
        """
        white = self.slow.whiten(embeddings)
        coordinates = by_block(
            lambda part: self.spectral.transform(part @ self.projection),
            white,
            len(self.spectral.landmarks),
        )
        distance = np.linalg.norm(coordinates[:, None, :] - self.centroids, axis=2)
        return {"distance": distance}


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
    fitted = stratified_rows(len(white), _MOST_FITTED, generator)
    coordinates = by_block(
        lambda part: spectral.transform(part @ projection), white[fitted], len(landmarks)
    )
    # k-means adds up its threads' sums in the order in which they finish: one thread repeats.
    with threadpool_limits(1, user_api="openmp"):
        clusters = KMeans(n_regimes, n_init=10, random_state=seed).fit(coordinates)
    order = canonical_order(clusters.labels_, np.asarray(volatility, float)[fitted], n_regimes)

    return Head(
        slow=slow,
        projection=projection,
        spectral=spectral,
        centroids=np.asarray(clusters.cluster_centers_[order], dtype=np.float64),
        eigenvalues=candidates.eigenvalues,
    )
