"""Spectral clustering on landmarks, with a fixed map for points that were not in the fit.

Normalised cuts as in Ng, Jordan, Weiss 2002; self-tuning affinity of Zelnik-Manor, Perona 2004;
Nystrom extension as in Fowlkes et al. 2004. With every point a landmark it is the exact algorithm.

Float32 stays float32, at about half the time. That is enough to judge a number of regimes; the map
of a model file is fitted in float64.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.regimes.clustering.eigenvectors import leading_eigenvectors
from regimetry.regimes.clustering.slow import fix_signs

Array = NDArray[np.floating]

_NO_AFFINITY = 30.0  # exponents of 30 are affinities of 1e-13: rounding, to an eigenvector

NEIGHBOURS = 15
"""The local bandwidth of a point is its distance to its 15th neighbour."""


_BLOCK = 1 << 17  # affinities at once: they stay in the processor's cache


def squared_distances(points: Array, landmarks: Array) -> Array:
    """Return squared Euclidean distances (N, M), not below 0.

    Expects points and landmarks centred on the landmarks' mean, without which the expansion
    ``|x|^2 - 2 x y + |y|^2`` cancels in float32.
    """
    squared = points @ (-2.0 * landmarks.T)
    squared += np.einsum("nl,nl->n", points, points)[:, None]
    squared += np.einsum("ml,ml->m", landmarks, landmarks)
    return np.maximum(squared, 0.0, out=squared)


def local_bandwidths(squared: Array, rank: int) -> Array:
    """Return each row's distance to its landmark of the given rank; (N,).

    ``rank`` counts from 0, and a landmark finds itself at rank 0: rank 15 is the 15th neighbour.
    For a new point it is the 16th nearest landmark, so that both are defined the same way.
    """
    return np.sqrt(np.partition(squared, rank, axis=1)[:, rank])


def neighbour_rank(n_landmarks: int) -> int:
    """Return the rank of the neighbour that gives a bandwidth: the 15th, or the last there is."""
    return min(NEIGHBOURS, n_landmarks - 1)


@dataclass(frozen=True)
class SpectralMap:
    """Map of points (N, L) to unit vectors (N, K) in which clusters are compact.

    With e_j = |x - y_j|^2 / (s(x) s_j), it is ``normalise(exp(min(e) - e) @ loadings)``: the degree
    of the query and any common factor of its affinities cancel in the normalisation, and the least
    exponent keeps a point that is far from every landmark from dividing 0 by 0.

    Attributes
    ----------
    centre : ndarray, shape (L,)
        Mean of the landmarks.
    landmarks : ndarray, shape (M, L)
        Centred.
    bandwidths : ndarray, shape (M,)
        Local bandwidth of each landmark, times the coarseness where the landmarks are islands.
    least_bandwidth : float
        Least local bandwidth of a point: that of the landmarks.
    rank : int
        Which neighbour gives a local bandwidth.
    loadings : ndarray, shape (M, K)
        ``d_j^-1/2 u_jk / lambda_k`` with eigenpairs (lambda, u) of the normalised affinity.
    eigenvalues : ndarray
        Largest eigenvalues of the normalised affinity, falling; more than K where there are.
    """

    centre: Array
    landmarks: Array
    bandwidths: Array
    least_bandwidth: float
    rank: int
    loadings: Array
    eigenvalues: Array

    def transform(self, points: Array) -> Array:
        """Return the unit vectors (N, K) of points (N, L), in the precision of the landmarks."""
        coordinates = np.empty((len(points), self.loadings.shape[1]), self.loadings.dtype)
        size = max(1, _BLOCK // len(self.landmarks))
        for start in range(0, len(points), size):
            block = points[start : start + size].astype(self.landmarks.dtype, copy=False)
            coordinates[start : start + size] = self._coordinates(block - self.centre)
        return coordinates

    def _coordinates(self, centred: Array) -> Array:
        affinity = squared_distances(centred, self.landmarks)
        bandwidths = np.maximum(local_bandwidths(affinity, self.rank), self.least_bandwidth)
        affinity /= self.bandwidths
        affinity -= affinity.min(axis=1, keepdims=True)
        affinity /= -bandwidths[:, None]
        vectors = np.exp(affinity, out=affinity) @ self.loadings
        length = np.sqrt(np.einsum("nk,nk->n", vectors, vectors))
        return vectors / np.maximum(length, 1e-30)[:, None]


def affinity_exponents(squared: Array, rank: int) -> tuple[Array, Array]:
    """Return e (M, M) of the affinity ``exp(-e)`` of landmarks and their local bandwidths (M,).

    Bandwidths are kept above a hundredth of the landmarks' spread: identical ones have none of
    their own, and far below it distances are the rounding of float32, which the model file
    computes in.
    """
    bandwidths = local_bandwidths(squared, rank)
    spread = float(np.sqrt(squared.mean()))
    bandwidths = np.maximum(
        bandwidths, max(1e-3 * float(np.median(bandwidths)), 1e-2 * spread, 1e-6)
    )
    return squared / (bandwidths[:, None] * bandwidths), bandwidths


def coarseness(exponents: Array, most_islands: int) -> float:
    """Return how much coarser to look so that the landmarks are few islands.

    Landmarks without affinity between them are islands. If they are more than the eigenvectors,
    those are an arbitrary choice among many of eigenvalue 1, and so are the clusters. Wider local
    bandwidths join the nearest islands first.

    Parameters
    ----------
    exponents : ndarray, shape (M, M)
        ``d_ij^2 / (s_i s_j)``.
    most_islands : int

    Returns
    -------
    float
        What to divide the exponents by: 1, or a power of 2.
    """
    coarse = 1.0
    while count_islands(exponents < coarse * _NO_AFFINITY) > most_islands:
        coarse *= 2.0
    return coarse


def count_islands(linked: NDArray[np.bool_]) -> int:
    """Return the number of connected components of a symmetric matrix (M, M) of links.

    A search in breadth on the matrix as it is: to make it sparse takes longer.
    """
    left = np.ones(len(linked), dtype=np.bool_)
    count = 0
    while left.any():
        front = np.zeros_like(left)
        front[left.argmax()] = True
        while front.any():
            left &= ~front
            front = linked[front].any(axis=0) & left
        count += 1
    return count


def fit_spectral_map(
    points: NDArray[np.floating], n_vectors: int, n_eigenvalues: int
) -> SpectralMap:
    """Fit the map on landmarks.

    Parameters
    ----------
    points : ndarray of float, shape (M, L)
        The landmarks.
    n_vectors : int
        K, leading eigenvectors that the map uses.
    n_eigenvalues : int
        How many eigenvalues to report, at least K where M allows.

    Returns
    -------
    SpectralMap
    """
    values = np.asarray(points)
    if values.dtype != np.float32:
        values = values.astype(np.float64, copy=False)
    centre = values.mean(axis=0)
    landmarks = values - centre
    squared = squared_distances(landmarks, landmarks)
    np.fill_diagonal(squared, 0.0)
    rank = neighbour_rank(len(values))
    exponents, bandwidths = affinity_exponents(squared, rank)
    del squared
    coarse = coarseness(exponents, max(n_vectors, n_eigenvalues - 1))
    exponents /= -coarse
    affinity = np.exp(exponents, out=exponents)

    root_degree = np.sqrt(affinity.sum(axis=1))
    affinity /= root_degree[:, None]
    affinity /= root_degree
    count = min(max(n_vectors, n_eigenvalues), len(affinity))
    eigenvalues, vectors = leading_eigenvectors(affinity, count)
    vectors = fix_signs(vectors)
    # The trivial direction comes first with eigenvalue 1; small or negative ones cannot be divided
    # by and belong to no cluster.
    usable = np.maximum(eigenvalues[:n_vectors], 1e-3)
    loadings = vectors[:, :n_vectors] / root_degree[:, None] / usable
    least_bandwidth = float(bandwidths.min())
    return SpectralMap(
        centre, landmarks, coarse * bandwidths, least_bandwidth, rank, loadings, eigenvalues
    )
