"""The head: embeddings to distances from each regime's centroid.

embedding -> whiten -> slow directions -> spectral coordinates -> distance to K centroids.
Everything here is a fixed map once fitted; the exported graph holds the same arithmetic.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import Landmarks
from regimetry.errors import DataError
from regimetry.regimes.choice.stability import windows_per_block
from regimetry.regimes.clustering.clusters import distances, distinct_rows
from regimetry.regimes.clustering.discriminants import discriminants
from regimetry.regimes.clustering.known import seeded, told_by_states
from regimetry.regimes.clustering.landmarks import (
    MOST_FITTED,
    choose_landmarks,
    cluster_on,
    landmark_rows,
    mean_of_each,
)
from regimetry.regimes.clustering.sampling import balanced_rows
from regimetry.regimes.clustering.slow import (
    Array,
    SlowDirections,
    fit_slow_directions,
    slow_dimension,
)
from regimetry.regimes.clustering.spectral import SpectralMap, fit_spectral_map
from regimetry.runtime.recursion import jump_path

CAUSAL_PENALTY, WHOLE_SERIES_PENALTY = 0.1, 0.3
"""Prices of a change for each row of a window, where windows tell the regimes apart, in units of
distance (0 to 2): windows W long repeat each piece of evidence W times."""

_MOST_DOUBLINGS = 10  # of the price, until the labels change as seldom as segments do
_SHOWN = 9  # eigenvalues of the affinity that are kept, at least
_DIRECTIONS = slow_dimension(5)  # slow directions that they are read in


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
        Of the affinity of landmarks even in time.
    landmarks : Landmarks
        Those of the spectral map.
    penalty, causal_penalty : float
        Prices of a change in whole series and in causal labels, in units of distance.
    halves : bool
        The first half of an embedding describes the middle of its window, and clusters and labels
        with hindsight are of it; the second half describes the newest rows, and causal labels are
        of it. Both are of one space. Else one embedding does for both.
    """

    slow: SlowDirections
    projection: Array
    spectral: SpectralMap
    centroids: NDArray[np.floating]
    eigenvalues: NDArray[np.floating]
    landmarks: Landmarks
    penalty: float
    causal_penalty: float
    halves: bool = False

    def reordered(self, order: NDArray[np.integer]) -> Head:
        """Return the head with its regimes in another order: ``order[new] = old``."""
        return replace(self, centroids=self.centroids[order])

    def as_seldom(
        self,
        embeddings: NDArray[np.floating],
        labels: NDArray[np.integer],
        offsets: NDArray[np.int64],
    ) -> Head:
        """Return the head with one price, doubled until its labels change as seldom as these."""
        distance, penalty = self.hindsight(embeddings), self.penalty
        most = np.count_nonzero(np.diff(labels))
        for _ in range(_MOST_DOUBLINGS):
            if np.count_nonzero(np.diff(jump_path(distance, penalty, offsets))) <= most:
                break
            penalty *= 2.0
        return replace(self, penalty=penalty, causal_penalty=penalty)

    def outputs(self, embeddings: NDArray[np.floating]) -> dict[str, Array]:
        """Map embeddings to distances; the float64 twin of the exported graph.

        Parameters
        ----------
        embeddings : ndarray of float, shape (N, D)

        Returns
        -------
        distance : ndarray of float64, shape (N, K)
            Euclidean, to each regime's centroid in the spectral space.
        hindsight : ndarray of float64, shape (N, K), of an embedding of two halves
            The same of the window's middle.
        """
        if not self.halves:
            return {"distance": self._distances(embeddings)}
        newest = embeddings[:, embeddings.shape[1] // 2 :]
        return {"distance": self._distances(newest), "hindsight": self.hindsight(embeddings)}

    def hindsight(self, embeddings: NDArray[np.floating]) -> Array:
        """Return the distances (N, K) that labels with hindsight are of."""
        return self._distances(middle(embeddings, self.halves))

    def points(self, embeddings: NDArray[np.floating]) -> Array:
        """Return the slow directions (N, L) that clusters are found in."""
        return self.slow.whiten(middle(embeddings, self.halves)) @ self.projection

    def _distances(self, embeddings: NDArray[np.floating]) -> Array:
        coordinates = self.spectral.transform(self.slow.whiten(embeddings) @ self.projection)
        return np.asarray(distances(coordinates, self.centroids), np.float64)


def middle(embeddings: NDArray[np.floating], halves: bool) -> NDArray[np.floating]:
    """Return the part of embeddings (N, D) that describes the middle of their windows."""
    return embeddings[:, : embeddings.shape[1] // 2] if halves else embeddings


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
    n_regimes: int,
    lag: int,
    n_landmarks: int = 1000,
    seed: int = 0,
    offsets: NDArray[np.int64] | None = None,
    slow: SlowDirections | None = None,
    labels: NDArray[np.integer] | None = None,
    known: NDArray[np.integer] | None = None,
    start: NDArray[np.integer] | None = None,
    landmarks: Landmarks | None = None,
    halves: bool = False,
) -> Head:
    """Fit the head on embeddings of windows in time order.

    Parameters
    ----------
    embeddings : ndarray of float, shape (N, D)
    volatility : ndarray of float, shape (N,)
        Of each window; regimes are numbered by its mean, the calmest 0.
    n_regimes : int
        K.
    lag : int
        W, in windows of stride 1.
    n_landmarks : int
        M, most landmarks.
    seed : int
        Of the landmarks and of k-means.
    offsets : ndarray of int64, shape (I + 1,), or None
        Boundaries of series that lie one after the other. Landmarks are drawn from all alike.
    slow : SlowDirections or None
        Of more windows than these; ``None`` fits them here.
    labels : ndarray of int, shape (N,), or None
        Of the windows, where regimes are kinds of segments; ``None`` clusters them.
    known : ndarray of int, shape (N,), or None
        States of windows, -1 where not known, at which clusters begin.
    start : ndarray of int, shape (N,), or None
        Labels whose clusters the regimes go on from, and whose order they keep.
    landmarks : Landmarks or None
        Which to use; ``None`` chooses them.
    halves : bool
        As of :class:`Head`; ``slow`` is then of the first half.

    Returns
    -------
    Head

    Raises
    ------
    DataError
        Fewer windows, or fewer different ones, than regimes.
    """
    least = max(2, n_regimes)
    if len(embeddings) < least:
        raise DataError(
            f"{len(embeddings)} windows cannot hold {n_regimes} regimes; at least {least} are "
            "needed. Give more rows or ask for fewer regimes."
        )
    generator = np.random.default_rng(seed)
    if offsets is None:
        offsets = np.array([0, len(embeddings)])
    described = middle(embeddings, halves)
    if slow is None:
        slow = fit_slow_directions(described, lag, offsets, spread=halves)
    white = slow.whiten(described)
    even = balanced_rows(offsets, n_landmarks, generator)
    even_white = white[even]
    eigenvalues = fit_spectral_map(
        even_white @ slow.projection(_DIRECTIONS), 1, max(_SHOWN, n_regimes)
    ).eigenvalues
    _require_distinct(len(distinct_rows(even_white, n_regimes)), n_regimes, len(even_white))
    fitted = balanced_rows(offsets, MOST_FITTED, generator)
    if labels is None:
        projection = slow.projection(slow_dimension(n_regimes))
        points, chosen = white @ projection, landmarks or Landmarks()
        if n_regimes > 1 and landmarks is None:
            block = windows_per_block(lag, len(points))
            chosen = choose_landmarks(
                points.astype(np.float32), even, fitted, n_regimes, block=block, seed=seed
            )
        rows = landmark_rows(chosen.drawn, points, even, fitted, seed)
        begun = None if start is None else start[fitted]
        found = cluster_on(points[rows], points[fitted], n_regimes, seed, begun)
        if known is not None:
            found = seeded(found, known[fitted])
            told = told_by_states(points, fitted, found, known)
            if told is not None:
                return fit_head(
                    embeddings, volatility, n_regimes=n_regimes, lag=lag, n_landmarks=n_landmarks,
                    seed=seed, offsets=offsets, slow=slow, labels=told, halves=halves,
                )  # fmt: skip
    else:
        projection, chosen = discriminants(white, labels), Landmarks()
        points = white @ projection
        found = mean_of_each(points[even], points[fitted], labels[fitted])
    order = np.arange(n_regimes, dtype=np.intp)
    if start is None:
        order = canonical_order(found.labels, np.asarray(volatility, float)[fitted], n_regimes)
    head = Head(
        slow=slow,
        projection=projection,
        spectral=found.spectral,
        centroids=found.centroids[order],
        eigenvalues=eigenvalues,
        landmarks=chosen,
        penalty=WHOLE_SERIES_PENALTY * lag,
        causal_penalty=CAUSAL_PENALTY * lag,
        halves=halves,
    )
    return head if labels is None else head.as_seldom(embeddings, labels, offsets)


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
