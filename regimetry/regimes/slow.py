"""Slow directions of embeddings: regimes are what changes slowly.

Time-lagged independent component analysis (Molgedey, Schuster 1994; Perez-Hernandez et al. 2013)
with the kinetic-map scaling of Noe, Clementi 2015.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from regimetry.regimes.memory import block_rows

Array = NDArray[np.float64]

_EXPLAINED = 0.99  # share of variance that the whitening keeps
_MOST_COMPONENTS = 32


@dataclass(frozen=True)
class SlowDirections:
    """An affine map of embeddings, in two steps: whiten, then rotate to slow directions.

    Attributes
    ----------
    mean : ndarray, shape (D,)
        Subtracted first; not folded into a matrix, where it would cancel.
    whitening : ndarray, shape (D, P)
        Z-score and principal components of unit variance.
    rotation : ndarray, shape (P, P)
        Columns are directions of falling autocorrelation at the lag.
    autocorrelation : ndarray, shape (P,)
        Of each direction, clipped at 0.
    """

    mean: Array
    whitening: Array
    rotation: Array
    autocorrelation: Array

    def whiten(self, embeddings: NDArray[np.floating]) -> Array:
        """Return whitened embeddings (N, P)."""
        return by_block(
            lambda part: (part - self.mean) @ self.whitening, embeddings, len(self.mean)
        )

    def projection(self, n_directions: int) -> Array:
        """Return the matrix (P, L) from whitened embeddings to the L slowest directions.

        Each direction is scaled by its autocorrelation, so that distance follows slowness.
        """
        count = min(n_directions, len(self.autocorrelation))
        return self.rotation[:, :count] * self.autocorrelation[:count]


def slow_dimension(n_regimes: int) -> int:
    """Return how many slow directions separate K regimes: max(2 (K - 1), 3)."""
    return max(2 * (n_regimes - 1), 3)


def fix_signs(vectors: Array) -> Array:
    """Return the columns with their largest entry positive, so that a fit is reproducible."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    return vectors * np.where(largest < 0, -1.0, 1.0)


def by_block(function: Callable[[Array], Array], rows: NDArray[np.floating], width: int) -> Array:
    """Map rows (N, ...) in float64 a block at a time: ``width`` is what a row takes on the way."""
    size = block_rows(width)
    starts = range(0, max(len(rows), 1), size)
    return np.concatenate([function(np.asarray(rows[i : i + size], np.float64)) for i in starts])


def _covariance(embeddings: NDArray[np.floating], mean: Array) -> Array:
    """Return the covariance (D, D) about ``mean``, whose float64 copies of rows are one block."""
    size = block_rows(len(mean))
    total = np.zeros((len(mean), len(mean)))
    for start in range(0, len(embeddings), size):
        centred = np.asarray(embeddings[start : start + size], np.float64) - mean
        total += centred.T @ centred
    return total / len(embeddings)


def fit_slow_directions(embeddings: NDArray[np.floating], lag: int) -> SlowDirections:
    """Fit the map on embeddings in time order.

    Parameters
    ----------
    embeddings : ndarray of float, shape (N, D)
        Of windows in time order, stride 1.
    lag : int
        Windows between the two members of a pair. W, so that the two share no bar.

    Returns
    -------
    SlowDirections
    """
    mean: Array = embeddings.mean(axis=0, dtype=np.float64)
    covariance = _covariance(embeddings, mean)
    deviation = np.sqrt(np.diag(covariance))
    # A dimension that does not vary, up to the rounding of float32, carries nothing. What has
    # cancelled on the way rounds like the other dimensions, however small it is itself.
    typical = np.sqrt(np.mean(np.diag(covariance) + mean**2))
    varies = deviation > 1e-6 * np.maximum(np.maximum(np.abs(mean), typical), 1e-6)
    inverse = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)

    variance, components = linalg.eigh(inverse[:, None] * covariance * inverse)
    variance, components = variance[::-1], components[:, ::-1]
    share = np.cumsum(variance) / max(variance.sum(), np.finfo(float).tiny)
    kept = min(int(np.searchsorted(share, _EXPLAINED)) + 1, _MOST_COMPONENTS, len(variance))
    kept = max(1, min(kept, int(np.sum(variance > 1e-10 * max(variance[0], 1e-10)))))
    root = np.sqrt(np.maximum(variance[:kept], np.finfo(float).tiny))
    whitening = inverse[:, None] * fix_signs(components[:, :kept]) / root

    white = by_block(lambda part: (part - mean) @ whitening, embeddings, len(mean))
    lag = max(1, min(lag, len(white) - 1))
    before, after = white[:-lag], white[lag:]
    covariance = before.T @ after / max(1, len(before))
    slowness, rotation = linalg.eigh((covariance + covariance.T) / 2.0)
    return SlowDirections(
        mean=mean,
        whitening=whitening,
        rotation=fix_signs(rotation[:, ::-1]),
        autocorrelation=np.maximum(slowness[::-1], 0.0),
    )
