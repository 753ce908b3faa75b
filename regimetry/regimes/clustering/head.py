"""The head: embeddings to distances from each regime's centroid.

embedding -> whiten -> slow directions -> spectral coordinates -> distance to K centroids.
Everything here is a fixed map once fitted; the exported graph holds the same arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import Candidate
from regimetry.errors import DataError
from regimetry.regimes.choice.candidates import Comparison
from regimetry.regimes.choice.count import DWELL_WINDOWS, MOST_REGIMES, choose_count, mark
from regimetry.regimes.clustering.clusters import distances, distinct_rows
from regimetry.regimes.clustering.landmarks import MOST_FITTED, cluster_on, landmark_rows
from regimetry.regimes.clustering.sampling import balanced_rows
from regimetry.regimes.clustering.slow import (
    Array,
    SlowDirections,
    fit_slow_directions,
    slow_dimension,
)
from regimetry.regimes.clustering.spectral import SpectralMap, fit_spectral_map

CAUSAL_PENALTY, WHOLE_SERIES_PENALTY = 1.0, 3.0
"""Prices of a change where windows tell the regimes apart, in units of distance (0 to 2)."""

_COUNT_DIRECTIONS = slow_dimension(5)  # slow directions that the eigengap is read in


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
    candidates : tuple of Candidate
        What each number of regimes would look like; one of them is chosen. If it was given, it
        stands alone: see :meth:`table`.
    comparison : Comparison
        What the candidates are judged on.
    """

    slow: SlowDirections
    projection: Array
    spectral: SpectralMap
    centroids: NDArray[np.floating]
    eigenvalues: NDArray[np.floating]
    candidates: tuple[Candidate, ...]
    comparison: Comparison

    def table(self) -> tuple[Candidate, ...]:
        """Return every candidate; those that the fit had no need of are judged now."""
        judged = {entry.n_regimes: entry for entry in self.candidates}
        rest = [count for count in self.comparison.counts if count not in judged]
        judged |= {entry.n_regimes: entry for entry in self.comparison.table(rest)}
        return tuple(judged[count] for count in self.comparison.counts)

    def reordered(self, order: NDArray[np.integer]) -> Head:
        """Return the head with its regimes in another order: ``order[new] = old``."""
        return replace(self, centroids=self.centroids[order])

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
        coordinates = self.spectral.transform(white @ self.projection)
        return {"distance": np.asarray(distances(coordinates, self.centroids), np.float64)}


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
    offsets: NDArray[np.int64] | None = None,
    slow: SlowDirections | None = None,
) -> Head:
    """Fit the head on embeddings of windows in time order.

    Parameters
    ----------
    embeddings : ndarray of float, shape (N, D)
    volatility : ndarray of float, shape (N,)
        Of each window; regimes are numbered by its mean, the calmest 0.
    n_regimes : int or None
        K; ``None`` takes what :mod:`~regimetry.regimes.choice.count` chooses.
    lag : int
        W, in windows of stride 1.
    n_landmarks : int
        M, most landmarks.
    min_dwell : float or None
        Shortest plausible dwell of a regime in bars, for that choice; ``None`` takes five windows.
    seed : int
        Of the landmarks and of k-means.
    offsets : ndarray of int64, shape (I + 1,), or None
        Boundaries of series that lie one after the other. Landmarks are drawn from all alike.
    slow : SlowDirections or None
        Of more windows than these; ``None`` fits them here.

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
    if offsets is None:
        offsets = np.array([0, len(embeddings)])
    if slow is None:
        slow = fit_slow_directions(embeddings, lag, offsets)
    white = slow.whiten(embeddings)
    even = balanced_rows(offsets, n_landmarks, generator)
    landmarks = white[even]
    eigenvalues = fit_spectral_map(
        landmarks @ slow.projection(_COUNT_DIRECTIONS), 1, MOST_REGIMES + 1
    ).eigenvalues
    distinct = len(distinct_rows(landmarks, max(MOST_REGIMES, n_regimes or 1)))
    _require_distinct(distinct, n_regimes or 1, len(landmarks))
    counts = sorted(set(range(1, min(MOST_REGIMES, distinct) + 1)) | {n_regimes or 1})
    fitted = balanced_rows(offsets, MOST_FITTED, generator)
    comparison = Comparison(
        (white @ slow.projection(slow_dimension(counts[-1]))).astype(np.float32),
        eigenvalues,
        tuple(counts),
        even=even,
        fitted=fitted,
        offsets=offsets,
        window_size=lag,
        seed=seed,
    )
    if n_regimes is None:
        least = DWELL_WINDOWS * lag if min_dwell is None else min_dwell
        table = choose_count(comparison.table(), least)
    else:
        table = mark(comparison.table([n_regimes]), n_regimes)
    chosen = next(entry for entry in table if entry.chosen)
    projection = slow.projection(slow_dimension(chosen.n_regimes))
    points = white @ projection
    rows = landmark_rows(chosen.landmarks.drawn, points, even, fitted, seed)
    found = cluster_on(points[rows], points[fitted], chosen.n_regimes, seed)
    order = canonical_order(found.labels, np.asarray(volatility, float)[fitted], chosen.n_regimes)

    return Head(
        slow=slow,
        projection=projection,
        spectral=found.spectral,
        centroids=found.centroids[order],
        eigenvalues=eigenvalues,
        candidates=table,
        comparison=comparison,
    )


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
