"""Compares numbers of regimes on one series: the table that "auto" reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import spells_of
from regimetry.contract import Candidate
from regimetry.regimes.choice.stability import windows_per_block
from regimetry.regimes.clustering.clusters import distances, in_one_thread
from regimetry.regimes.clustering.landmarks import cluster
from regimetry.regimes.clustering.slow import slow_dimension
from regimetry.runtime.recursion import jump_path
from regimetry.windows import begins_of

_STRETCHES, _STRETCH = 8, 1024  # windows to label, where there are more
_PATH_PENALTY = 3.0  # of the whole-series labels that dwell is read from


@dataclass(frozen=True)
class Comparison:
    """What numbers of regimes are compared on: the windows of a fit, and no more of it.

    Attributes
    ----------
    points : ndarray of float32, shape (N, L)
        Windows in the slow directions, the slowest first, in time order. Float32 is enough to
        judge, and half the time.
    eigenvalues : ndarray, falling
        Of the affinity of all candidates.
    counts : tuple of int
        K of each candidate, at most N, rising.
    even : ndarray of int64, shape (M,)
        Landmarks even in time.
    fitted : ndarray of int64, shape (E,)
        Windows that centroids are fitted on.
    offsets : ndarray of int64, shape (I + 1,)
        Boundaries of series that lie one after the other.
    window_size : int
        W.
    seed : int
    """

    points: NDArray[np.float32]
    eigenvalues: NDArray[np.floating]
    counts: tuple[int, ...]
    even: NDArray[np.int64]
    fitted: NDArray[np.int64]
    offsets: NDArray[np.int64]
    window_size: int
    seed: int

    @in_one_thread
    def table(self, counts: Sequence[int] | None = None) -> tuple[Candidate, ...]:
        """Cluster the windows into each of ``counts`` regimes, and describe the result.

        Costs a fixed number of small fits for each, on at most 500 landmarks and 8192 windows.

        Parameters
        ----------
        counts : sequence of int or None
            ``None``: all candidates.

        Returns
        -------
        tuple of Candidate
            None chosen, none refused.
        """
        return tuple(map(self._candidate, self.counts if counts is None else counts))

    def _candidate(self, count: int) -> Candidate:
        spectrum = np.append(self.eigenvalues, np.zeros(count))  # 0 beyond what was measured
        one = Candidate(
            n_regimes=count,
            eigenvalue=float(spectrum[count - 1]),
            gap=float(spectrum[count - 1] - spectrum[count]),
            shortest_dwell=float(len(self.points)),
            smallest_share=1.0,
        )
        if count == 1:
            return one
        points = self.points[:, : slow_dimension(count)]
        block = windows_per_block(self.window_size, len(points))
        found, landmarks, agreement = cluster(
            points, self.even, self.fitted, count, block=block, seed=self.seed
        )
        stretches, breaks = _labelled_windows(self.offsets)
        edges = np.append(np.flatnonzero(breaks), len(breaks))
        coordinates = (
            found.coordinates[stretches]
            if len(found.coordinates) == len(points)
            else found.spectral.transform(points[stretches])
        )
        path = jump_path(distances(coordinates, found.centroids), _PATH_PENALTY, edges)
        return replace(
            one,
            stability=float(agreement.mean()),
            stability_deviation=float(agreement.std()),
            landmarks=landmarks,
            shortest_dwell=shortest_dwell(path, count, breaks),
            smallest_share=float(np.bincount(path, minlength=count).min() / len(path)),
        )


def shortest_dwell(
    labels: NDArray[np.int64], n_regimes: int, breaks: NDArray[np.bool_] | None = None
) -> float:
    """Return the dwell of the regime that lasts the shortest, in bars.

    A regime's dwell is the median over its *bars* of the length of the spell that they lie in.
    Every labelling has a few stray bars, and they would decide a median over spells.

    Parameters
    ----------
    labels : ndarray of int64, shape (N,)
    n_regimes : int
        K.
    breaks : ndarray of bool, shape (N,), or None
        True where a bar does not follow the one before it.

    Returns
    -------
    float
        0 where a regime has no bar.
    """
    spells = spells_of(labels, breaks)
    dwells = []
    for regime in range(n_regimes):
        lengths = np.sort(spells.length[spells.regime == regime])
        middle = np.searchsorted(np.cumsum(lengths), lengths.sum() / 2)
        dwells.append(float(lengths[middle]) if len(lengths) else 0.0)
    return min(dwells)


def _labelled_windows(offsets: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the windows to label, all or some stretches of them, and where one begins."""
    n_windows, begins = int(offsets[-1]), begins_of(offsets)
    if n_windows <= _STRETCHES * _STRETCH:
        return np.arange(n_windows), begins
    starts = np.linspace(0, n_windows - _STRETCH, _STRETCHES).astype(np.int64)
    rows = (starts[:, None] + np.arange(_STRETCH)).ravel()
    breaks = begins[rows]
    breaks[::_STRETCH] = True
    return rows, breaks
