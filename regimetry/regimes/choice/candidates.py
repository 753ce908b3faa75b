"""Candidates: what a window size and a number of regimes would make of a series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import spells_of
from regimetry.contract import Candidate
from regimetry.encoder.convolutions import label_offset
from regimetry.regimes.choice.terms import entropy, lasting, recognised, steps, tightness
from regimetry.regimes.clustering.clusters import cluster_centres, distances, in_one_thread
from regimetry.regimes.clustering.head import middle
from regimetry.regimes.clustering.sampling import Array, balanced_rows
from regimetry.regimes.clustering.slow import SlowDirections, fit_slow_directions, slow_dimension
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
        Rows before a window that it reads.
    halves : bool
        As of :class:`~regimetry.regimes.clustering.head.Head`; these are of the first half.
    """

    embeddings: NDArray[np.floating]
    offsets: NDArray[np.int64]
    window_size: int
    stride: int
    reach: int
    halves: bool = False

    @classmethod
    def of(
        cls,
        series: Sequence[NDArray[np.floating]],
        window_size: int,
        stride: int,
        reach: int,
        *,
        halves: bool = False,
    ) -> Sample:
        """Return the windows of several series, each (N_i, D), or (N_i, 2 D) of two halves."""
        embeddings = np.concatenate([middle(part, halves) for part in series])
        offsets = np.cumsum([0, *map(len, series)])
        return cls(embeddings, offsets, window_size, stride, reach, halves)

    @property
    def lag(self) -> int:
        """Windows to the next one that shares no position with it."""
        return max(1, self.window_size // self.stride)

    @property
    def rows(self) -> NDArray[np.int64]:
        """The row that each window describes best, if the windows are of one series."""
        offset = label_offset(self.window_size, self.reach)
        last = self.window_size + self.reach - 1
        return last - offset + self.stride * np.arange(len(self.embeddings))

    @property
    def two_windows(self) -> int:
        """Twice as many, or as far as the longest series goes."""
        return max(1, min(2 * self.lag, int(np.diff(self.offsets).max()) - 2))

    @cached_property
    def slow(self) -> SlowDirections:
        """The slow directions of the windows."""
        return fit_slow_directions(self.embeddings, self.lag, self.offsets, spread=self.halves)

    @cached_property
    def white(self) -> Array:
        """Whitened windows, (N, P)."""
        return self.slow.whiten(self.embeddings)

    @cached_property
    def _directions(self) -> NDArray[np.float32]:
        """The windows in all slow directions, (N, P)."""
        projection = self.slow.projection(len(self.slow.autocorrelation))
        return np.asarray(self.white @ projection, np.float32)

    @cached_property
    def _coordinates(self) -> dict[int, NDArray[np.float32]]:
        return {}

    def coordinates(self, n_regimes: int, seed: int) -> NDArray[np.float32]:
        """Return spectral coordinates of the windows (N, K), on 600 landmarks even in time."""
        if n_regimes not in self._coordinates:
            points = self.points(n_regimes)
            even = balanced_rows(self.offsets, _LANDMARKS, np.random.default_rng(seed))
            spectral = fit_spectral_map(points[even], n_regimes, n_regimes)
            self._coordinates[n_regimes] = spectral.transform(points)
        return self._coordinates[n_regimes]

    def points(self, n_regimes: int) -> NDArray[np.float32]:
        """Return the windows in the slow directions that separate K regimes; float32 is enough."""
        return np.ascontiguousarray(self._directions[:, : slow_dimension(n_regimes)])


def sizes_for(n_rows: int) -> tuple[int, ...]:
    """Return the sizes that a series of so many rows is long enough for; the smallest always."""
    return tuple(size for size in SIZES if size * LEAST_WINDOWS <= n_rows) or SIZES[:1]


def stride_for(window_size: int, n_rows: int) -> int:
    """Return the stride of a sample: a tenth of the window, more if the series is long."""
    return max(1, window_size // _STEPS, n_rows // _MOST_WINDOWS)


@in_one_thread
def candidates_of(
    sample: Sample,
    surrogates: Sequence[Sample],
    n_rows: int,
    counts: Sequence[int] = COUNTS,
    *,
    seed: int,
) -> tuple[Candidate, ...]:
    """Cluster windows into each number of regimes, and describe the result.

    The same steps as a fit, on 600 landmarks.

    Parameters
    ----------
    sample : Sample
    surrogates : sequence of Sample
        Windows of linear Gaussian series with the same spectra, see
        :func:`~regimetry.regimes.choice.terms.surrogate`.
    n_rows : int
        T of all series together.
    counts : sequence of int
        Each from 2 to N.
    seed : int
        Of landmarks and k-means.

    Returns
    -------
    tuple of Candidate
        Without scores.
    """
    clustered = ((count, path_of(sample, count, seed)) for count in counts)
    return tuple(
        Candidate(
            window_size=sample.window_size,
            n_regimes=count,
            windows=n_rows / sample.window_size,
            tightness=tightness(
                sample.points(count), [other.points(count) for other in surrogates], count, seed
            ),
            **terms_of(sample, path, count, seed),
        )
        for count, path in clustered
    )


def path_of(sample: Sample, count: int, seed: int) -> NDArray[np.int64]:
    """Return the whole-series label of each window."""
    coordinates = sample.coordinates(count, seed)
    thin = max(1, len(coordinates) // _CENTRES_FROM)
    centres = cluster_centres(coordinates[::thin], count, seed=seed, starts=4)
    penalty = PENALTY * sample.window_size / sample.stride
    return jump_path(distances(coordinates, centres), penalty, sample.offsets)


def terms_of(sample: Sample, path: NDArray[np.int64], count: int, seed: int) -> dict[str, Any]:
    """Return what is read from the labels (N,) of the windows."""
    apart = -(-(sample.window_size + sample.reach) // sample.stride)
    dwell = shortest_dwell(path, count, begins_of(sample.offsets))
    return {
        "entropy": entropy(path),
        "recognised": recognised(sample.white, path, count, 2 * sample.lag, apart),
        "lasting": lasting(path, count, sample.two_windows, sample.offsets),
        "steps": steps(sample.coordinates(count, seed), path),
        "changes": int(np.sum(np.diff(path) != 0)),
        "shortest_dwell": dwell * sample.stride,
        "smallest_share": float(np.bincount(path, minlength=count).min() / len(path)),
    }


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
