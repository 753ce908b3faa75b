"""The head: embeddings to distances from each regime's centroid, and to novelty.

embedding -> whiten -> slow directions -> spectral coordinates -> distance to K centroids.
Everything here is a fixed map once fitted; the exported graph holds the same arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.regimes.candidates import Candidate, assess
from regimetry.regimes.clusters import cluster_centres, distances, distinct_rows, nearest
from regimetry.regimes.count import MOST_REGIMES, choose, default_min_dwell, mark
from regimetry.regimes.slow import SlowDirections, fit_slow_directions, slow_dimension
from regimetry.regimes.spectral import (
    SpectralMap,
    fit_spectral_map,
    local_scales,
    neighbour_rank,
    squared_distances,
    stratified_rows,
)

Array = NDArray[np.float64]

_COUNT_DIRECTIONS = slow_dimension(5)  # slow directions that the eigengap is read in
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
    candidates : tuple of Candidate
        What each number of regimes would look like; one of them is chosen.
    """

    slow: SlowDirections
    projection: Array
    spectral: SpectralMap
    centroids: Array
    novelty_landmarks: Array
    novelty_scale: float
    eigenvalues: Array
    candidates: tuple[Candidate, ...] = ()

    def reordered(self, order: NDArray[np.integer]) -> Head:
        """Return the head with its regimes in another order: ``order[new] = old``."""
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
        distance = distances(coordinates, self.centroids)
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


def fit_head(
    embeddings: NDArray[np.floating],
    volatility: NDArray[np.floating],
    *,
    n_regimes: int | None,
    lag: int,
    n_landmarks: int = 1000,
    min_dwell: float | None = None,
    seed: int = 0,
) -> Head:
    """Fit the head on embeddings of windows in time order.

    Parameters
    ----------
    embeddings : ndarray of float, shape (N, D)
    volatility : ndarray of float, shape (N,)
        Of each window; regimes are numbered by its mean, the calmest 0.
    n_regimes : int or None
        K; ``None`` takes what :mod:`~regimetry.regimes.count` chooses.
    lag : int
        W, in windows of stride 1.
    n_landmarks : int
        M, most landmarks.
    min_dwell : float or None
        Shortest plausible dwell of a regime in bars, for that choice; ``None`` takes five windows.
    seed : int
        Of the landmarks and of k-means.

    Returns
    -------
    Head

    Raises
    ------
    DataError
        Fewer windows, or fewer different ones, than regimes.
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

    eigenvalues = fit_spectral_map(
        landmarks @ slow.projection(_COUNT_DIRECTIONS), 1, MOST_REGIMES + 1
    ).eigenvalues
    distinct = len(distinct_rows(landmarks, max(MOST_REGIMES, n_regimes or 1)))
    _require_distinct(distinct, n_regimes or 1, len(landmarks))
    counts = set(range(1, min(MOST_REGIMES, distinct) + 1)) | {n_regimes or 1}
    table = assess(white, slow, eigenvalues, sorted(counts), window_size=lag, seed=seed)
    if n_regimes is None:
        table = choose(table, default_min_dwell(lag) if min_dwell is None else min_dwell)
        n_regimes = next(entry.n_regimes for entry in table if entry.chosen)
    else:
        table = mark(table, n_regimes)
    projection = slow.projection(slow_dimension(n_regimes))
    spectral = fit_spectral_map(landmarks @ projection, n_regimes, n_regimes)
    coordinates = _by_block(lambda part: spectral.transform(part @ projection), white)
    centres = cluster_centres(coordinates, n_regimes, seed=seed, starts=10)
    order = canonical_order(nearest(coordinates, centres), np.asarray(volatility, float), n_regimes)

    neighbour = _by_block(lambda part: _neighbour_distance(part, landmarks), white)
    return Head(
        slow=slow,
        projection=projection,
        spectral=spectral,
        centroids=centres[order],
        novelty_landmarks=landmarks,
        novelty_scale=_scale(float(np.median(neighbour))),
        eigenvalues=eigenvalues,
        candidates=table,
    )


def _scale(typical: float) -> float:
    """Return the unit of novelty: the typical distance, or 1 where most windows repeat others."""
    return typical if typical > 1e-3 else 1.0


def _require_distinct(distinct: int, n_regimes: int, n_landmarks: int) -> None:
    if n_landmarks < n_regimes:
        raise DataError(
            f"{n_regimes} regimes need as many landmarks; n_landmarks is {n_landmarks}. Raise it, "
            "or ask for fewer regimes."
        )
    if distinct < n_regimes:
        raise DataError(
            f"Only {distinct} of the windows differ from each other; {n_regimes} regimes need as "
            "many. Give data that change more, or ask for fewer regimes."
        )
