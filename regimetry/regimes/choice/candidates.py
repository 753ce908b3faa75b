"""Candidates: what a window size and a number of regimes would make of a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import spells_of
from regimetry.contract import Candidate
from regimetry.regimes.choice.stability import stability
from regimetry.regimes.choice.terms import MOST_CLUSTERS, entropy, lasting, recognised, tightness
from regimetry.regimes.clustering.clusters import cluster_centres, distances, in_one_thread
from regimetry.regimes.clustering.sampling import Array, balanced_rows
from regimetry.regimes.clustering.slow import fit_slow_directions, slow_dimension
from regimetry.regimes.clustering.spectral import fit_spectral_map
from regimetry.runtime.recursion import jump_path
from regimetry.windows import begins_of

SIZES = (10, 20, 40, 80, 160, 320)
"""Window sizes to choose from, in rows."""

COUNTS = tuple(range(2, 10))
"""Numbers of regimes to choose from, besides one."""

LEAST_WINDOWS = 20
"""Windows side by side that a series must hold, for a size to be tried."""

PENALTY = 0.3
"""Price of a change of regime for each row of a window, in units of distance."""

_STEPS = 10  # windows begin every tenth of their size at most
_MOST_WINDOWS = 3000  # of a size, in all
_LANDMARKS = 600
_CENTRES_FROM = 1000  # windows that centroids are fitted on
_SLOW = 8  # slow directions that the conditions are read in
_CLOUD = 2.0  # how many times the largest other gap the first one is, in one cloud
_BLOCK = 10  # window sizes that a resampled block is long


@dataclass(frozen=True)
class Sample:
    """Windows of one size at a stride, to compare numbers of regimes on.

    Attributes
    ----------
    embeddings : ndarray of float, shape (N, D)
        In time order.
    offsets : ndarray of int64, shape (I + 1,)
        Boundaries of series that lie one after the other.
    window_size : int
        W.
    stride : int
        Rows from one window to the next.
    reach : int
        Rows that a window reads.
    """

    embeddings: NDArray[np.floating]
    offsets: NDArray[np.int64]
    window_size: int
    stride: int
    reach: int

    @property
    def lag(self) -> int:
        """Windows to the next one that shares no position with it."""
        return max(1, self.window_size // self.stride)


def sizes_for(n_rows: int) -> tuple[int, ...]:
    """Return the sizes that a series of so many rows is long enough for; the smallest always."""
    return tuple(size for size in SIZES if size * LEAST_WINDOWS <= n_rows) or SIZES[:1]


def stride_for(window_size: int, n_rows: int) -> int:
    """Return the stride of a sample: a tenth of the window, more if the series is long."""
    return max(1, window_size // _STEPS, n_rows // _MOST_WINDOWS)


@in_one_thread
def candidates_of(
    sample: Sample, n_rows: int, counts: Sequence[int] = COUNTS, *, seed: int
) -> tuple[Candidate, ...]:
    """Cluster windows into each number of regimes, and describe the result.

    The same steps as a fit, on 600 landmarks.

    Parameters
    ----------
    sample : Sample
    n_rows : int
        T of all series together.
    counts : sequence of int
        Each from 2 to N.
    seed : int
        Of landmarks, k-means and surrogates.

    Returns
    -------
    tuple of Candidate
        Without scores.
    """
    size, offsets, lag = sample.window_size, sample.offsets, sample.lag
    slow = fit_slow_directions(sample.embeddings, lag, offsets)
    white = slow.whiten(sample.embeddings)
    every = (white @ slow.projection(slow_dimension(max(*counts, 5)))).astype(np.float32)
    longest = int(np.diff(offsets).max())
    two_windows = max(1, min(2 * lag, longest - 2))
    even = balanced_rows(offsets, _LANDMARKS, np.random.default_rng(seed))
    tight = tightness(every[:, :_SLOW].astype(np.float64), seed)
    cloud = _is_one_cloud(every[even, :_SLOW])
    apart = -(-sample.reach // sample.stride)
    begins = begins_of(offsets)
    found = []
    for count in counts:
        points = every[:, : slow_dimension(count)]
        spectral = fit_spectral_map(points[even], count, count)
        coordinates = spectral.transform(points)
        thin = max(1, len(points) // _CENTRES_FROM)
        centres = cluster_centres(coordinates[::thin], count, seed=seed, starts=4)
        costs = distances(coordinates, centres)
        path = jump_path(costs, PENALTY * size / sample.stride, offsets)
        agreement = stability(
            points,
            even,
            costs[even].argmin(axis=1),
            count,
            block=max(1, min(_BLOCK * lag, len(points) // 4)),
            seed=seed,
        )
        changes = int(np.sum(np.diff(path) != 0))
        found.append(
            Candidate(
                window_size=size,
                n_regimes=count,
                windows=n_rows / size,
                entropy=entropy(path),
                recognised=recognised(white, path, count, 2 * lag, apart),
                lasting=lasting(path, count, two_windows, offsets),
                tightness=float(tight[min(count, MOST_CLUSTERS) - 1]),
                stability=float(agreement.mean()),
                one_cloud=cloud,
                changes=changes,
                shortest_dwell=shortest_dwell(path, count, begins) * sample.stride,
                smallest_share=float(np.bincount(path, minlength=count).min() / len(path)),
            )
        )
    return tuple(found)


def _is_one_cloud(points: Array) -> bool:
    """Whether the affinity's first eigengap is far larger than the others (von Luxburg 2007)."""
    gaps = -np.diff(fit_spectral_map(points, COUNTS[-1], COUNTS[-1] + 1).eigenvalues)
    return bool(gaps[0] >= _CLOUD * gaps[1:].max(initial=0.0))


def shortest_dwell(
    labels: NDArray[np.integer], n_regimes: int, breaks: NDArray[np.bool_] | None = None
) -> float:
    """Return the dwell of the regime that lasts the shortest, in windows.

    A regime's dwell is the median over its *windows* of the length of the spell that they lie in.
    Every labelling has a few stray windows, and they would decide a median over spells.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
    n_regimes : int
        K.
    breaks : ndarray of bool, shape (N,), or None
        True where a window does not follow the one before it.

    Returns
    -------
    float
        0 where a regime has no window.
    """
    spells = spells_of(labels, breaks)
    dwells = []
    for regime in range(n_regimes):
        lengths = np.sort(spells.length[spells.regime == regime])
        middle = np.searchsorted(np.cumsum(lengths), lengths.sum() / 2)
        dwells.append(float(lengths[middle]) if len(lengths) else 0.0)
    return min(dwells)
