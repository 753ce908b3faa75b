"""Slow directions of embeddings: regimes are what changes slowly.

Time-lagged independent component analysis (Molgedey, Schuster 1994; Perez-Hernandez et al. 2013)
with the kinetic-map scaling of Noe, Clementi 2015. The partner of an embedding is the one a lag
later. Where embeddings describe patches, in which the phase of a cycle shows, it is the mean of
those from a lag to twice a lag later: else a cycle that comes round in a lag would be the slowest.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from regimetry.regimes.memory import block_rows

Array = NDArray[np.float64]
F = TypeVar("F", bound=np.floating)

_VARIANCE_KEPT = 0.99  # share of variance that the whitening keeps
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


def fix_signs(vectors: NDArray[F]) -> NDArray[F]:
    """Return the columns with their largest entry positive, so that a fit is reproducible."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(axis=0)[None], axis=0)
    return np.where(largest < 0, -vectors, vectors)


def by_block(function: Callable[[Array], Array], rows: NDArray[np.floating], width: int) -> Array:
    """Map rows (N, ...) in float64 a block at a time: ``width`` is what a row takes on the way."""
    size = block_rows(width)
    starts = range(0, max(len(rows), 1), size)
    return np.concatenate([function(np.asarray(rows[i : i + size], np.float64)) for i in starts])


@dataclass(frozen=True)
class LaggedSums:
    """Sums over embeddings from which the slow directions follow; those of two parts add up.

    Of windows whose series has another one a lag later, ``before`` is the first of the two and
    ``after`` its partner.

    Attributes
    ----------
    centre : ndarray, shape (D,)
        Subtracted from every embedding, so that nothing cancels; the same in parts that add up.
    count, pairs : int
    total, before, after : ndarray, shape (D,)
    square, lagged : ndarray, shape (D, D)
        Of an embedding with itself, and of ``before`` with ``after``.
    """

    centre: Array
    count: int
    total: Array
    square: Array
    pairs: int
    before: Array
    after: Array
    lagged: Array

    @classmethod
    def of(
        cls,
        embeddings: NDArray[np.floating],
        lag: int,
        centre: Array | None = None,
        offsets: NDArray[np.int64] | None = None,
        own: int | None = None,
        *,
        spread: bool = False,
    ) -> LaggedSums:
        """Add up embeddings (N, D) in time order, whose float64 copies of rows are one block.

        Parameters
        ----------
        embeddings : ndarray of float, shape (N, D)
        lag : int
            In windows.
        centre : ndarray, shape (D,), or None
            ``None`` takes the mean.
        offsets : ndarray of int64, shape (I + 1,), or None
            Boundaries of series that lie one after the other; no pair crosses one.
        own : int or None
            Of one series, how many of the first embeddings count; those after them are partners
            alone. ``None``: all.
        spread : bool
            The partner is the mean of the embeddings from ``lag`` to ``2 lag - 1`` later, as many
            as there are; else the one ``lag`` later.
        """
        if centre is None:
            centre = embeddings.mean(axis=0, dtype=np.float64)
        edges = [0, len(embeddings)] if offsets is None else offsets.tolist()
        counted = len(embeddings) if own is None else own
        width = len(centre)
        total, before, after = np.zeros(width), np.zeros(width), np.zeros(width)
        square, lagged = np.zeros((width, width)), np.zeros((width, width))
        size, pairs, farthest = block_rows(width), 0, 2 * lag - 1 if spread else lag
        for start, stop in itertools.pairwise(edges):
            pairs += max(0, min(stop - lag, counted) - start)
            for first in range(start, min(stop, counted), size):
                last = min(first + size, stop, counted)
                read = embeddings[first : min(last + farthest, stop)]
                rows = np.asarray(read, np.float64) - centre
                now = rows[: last - first]
                total += now.sum(axis=0)
                square += now.T @ now
                count = min(max(0, len(rows) - lag), len(now))
                early = rows[:count]
                late = _mean_of_later(rows, lag, count) if spread else rows[lag : lag + count]
                before += early.sum(axis=0)
                after += late.sum(axis=0)
                lagged += early.T @ late
        return cls(centre, counted, total, square, pairs, before, after, lagged)

    def __add__(self, other: LaggedSums) -> LaggedSums:
        names = ("count", "total", "square", "pairs", "before", "after", "lagged")
        return LaggedSums(
            self.centre, **{name: getattr(self, name) + getattr(other, name) for name in names}
        )

    def of_first(self, count: int) -> LaggedSums:
        """Return the sums over the first ``count`` numbers of each embedding."""
        part = slice(count)
        vectors = {name: getattr(self, name)[part] for name in ("total", "before", "after")}
        matrices = {name: getattr(self, name)[part, part] for name in ("square", "lagged")}
        return replace(self, centre=self.centre[part], **vectors, **matrices)

    @property
    def mean(self) -> Array:
        """Of all embeddings, (D,)."""
        return self.centre + self.total / self.count

    @property
    def covariance(self) -> Array:
        """Of all embeddings, (D, D)."""
        shift = self.total / self.count
        return self.square / self.count - np.outer(shift, shift)

    @property
    def lagged_covariance(self) -> Array:
        """Of the pairs about the mean of all embeddings, symmetrised, (D, D)."""
        shift = self.total / self.count
        about = self.lagged - np.outer(self.before, shift) - np.outer(shift, self.after)
        about = about / max(1, self.pairs) + np.outer(shift, shift) * (self.pairs > 0)
        return (about + about.T) / 2.0


def fit_slow_directions(
    embeddings: NDArray[np.floating],
    lag: int,
    offsets: NDArray[np.int64] | None = None,
    *,
    spread: bool = False,
) -> SlowDirections:
    """Fit the map on embeddings in time order.

    Parameters
    ----------
    embeddings : ndarray of float, shape (N, D)
        Of windows in time order, stride 1.
    lag : int
        Windows from one to its partner, or the first of them. W, so that the two share no bar.
    offsets : ndarray of int64, shape (I + 1,), or None
        Boundaries of series that lie one after the other; no pair crosses one.
    spread : bool
        As of :meth:`LaggedSums.of`.

    Returns
    -------
    SlowDirections
    """
    longest = len(embeddings) if offsets is None else int(np.diff(offsets).max())
    lag = max(1, min(lag, longest - 1))
    return slow_directions(LaggedSums.of(embeddings, lag, offsets=offsets, spread=spread))


def _mean_of_later(rows: Array, lag: int, count: int) -> Array:
    """Return for each of the first rows the mean of those ``lag`` to ``2 lag - 1`` after it."""
    after = rows[lag:]
    sums = np.concatenate([np.zeros((1, rows.shape[1])), after.cumsum(axis=0)])
    starts = np.arange(count)
    ends = np.minimum(starts + lag, len(after))
    return np.asarray((sums[ends] - sums[starts]) / (ends - starts)[:, None])


def slow_directions(sums: LaggedSums) -> SlowDirections:
    """Return the map that sums over all embeddings give."""
    mean, covariance = sums.mean, sums.covariance
    deviation = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    # A dimension that hardly varies is mostly the rounding of float32, blown up: the lag-1
    # autocorrelation of two rows is -1/2 but for its guard against 0, say. What has
    # cancelled on the way rounds like the other dimensions, however small it is itself.
    typical = np.sqrt(np.mean(np.diag(covariance) + mean**2))
    varies = deviation > 1e-4 * np.maximum(np.maximum(np.abs(mean), typical), 1e-6)
    inverse = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=varies)

    variance, components = linalg.eigh(inverse[:, None] * covariance * inverse)
    variance, components = variance[::-1], components[:, ::-1]
    share = np.cumsum(variance) / max(variance.sum(), np.finfo(float).tiny)
    kept = min(int(np.searchsorted(share, _VARIANCE_KEPT)) + 1, _MOST_COMPONENTS, len(variance))
    kept = max(1, min(kept, int(np.sum(variance > 1e-10 * max(variance[0], 1e-10)))))
    root = np.sqrt(np.maximum(variance[:kept], np.finfo(float).tiny))
    whitening = inverse[:, None] * fix_signs(components[:, :kept]) / root

    slowness, rotation = linalg.eigh(whitening.T @ sums.lagged_covariance @ whitening)
    return SlowDirections(
        mean=mean,
        whitening=whitening,
        rotation=fix_signs(rotation[:, ::-1]),
        autocorrelation=np.maximum(slowness[::-1], 0.0),
    )
