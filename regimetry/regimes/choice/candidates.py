"""Compares numbers of regimes on one series: the table that "auto" reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import spells_of
from regimetry.contract import Candidate
from regimetry.regimes.choice.stability import windows_per_block
from regimetry.regimes.clustering.clusters import distances, in_one_thread
from regimetry.regimes.clustering.landmarks import cluster
from regimetry.regimes.clustering.slow import Array, SlowDirections, slow_dimension
from regimetry.runtime.recursion import jump_path
from regimetry.windows import begins_of

_STRETCHES, _STRETCH = 8, 1024  # windows to label, where there are more
_PATH_PENALTY = 3.0  # of the whole-series labels that dwell is read from


@in_one_thread
def assess(
    white: Array,
    slow: SlowDirections,
    eigenvalues: Array,
    counts: Sequence[int],
    *,
    even: NDArray[np.int64],
    fitted: NDArray[np.int64],
    offsets: NDArray[np.int64],
    window_size: int,
    seed: int,
) -> tuple[Candidate, ...]:
    """Cluster the windows into each number of regimes, and describe the result.

    Costs a fixed number of small fits for each, on at most 500 landmarks and 8192 windows.

    Parameters
    ----------
    white : ndarray, shape (N, P)
        Whitened embeddings in time order.
    slow : SlowDirections
    eigenvalues : ndarray, falling
        Of the affinity of all candidates.
    counts : sequence of int
        K of each candidate, at most N.
    even : ndarray of int64, shape (M,)
        Landmarks even in time.
    fitted : ndarray of int64, shape (E,)
        Windows that centroids are fitted on.
    offsets : ndarray of int64, shape (I + 1,)
        Boundaries of series that lie one after the other.
    window_size : int
        W.
    seed : int

    Returns
    -------
    tuple of Candidate
        None chosen, none refused.
    """
    stretches, breaks = _labelled_windows(offsets)
    edges = np.append(np.flatnonzero(breaks), len(breaks))
    block = windows_per_block(window_size, len(white))
    spectrum = np.append(eigenvalues, np.zeros(max(counts)))  # 0 beyond what was measured
    table = []
    for count in counts:
        one = Candidate(
            n_regimes=count,
            eigenvalue=float(spectrum[count - 1]),
            gap=float(spectrum[count - 1] - spectrum[count]),
            shortest_dwell=float(len(white)),
            smallest_share=1.0,
        )
        if count == 1:
            table.append(one)
            continue
        points = white @ slow.projection(slow_dimension(count))
        found, landmarks, agreement = cluster(points, even, fitted, count, block=block, seed=seed)
        coordinates = found.spectral.transform(points[stretches])
        path = jump_path(distances(coordinates, found.centroids), _PATH_PENALTY, edges)
        table.append(
            replace(
                one,
                stability=float(agreement.mean()),
                stability_deviation=float(agreement.std()),
                landmarks=landmarks,
                shortest_dwell=shortest_dwell(path, count, breaks),
                smallest_share=float(np.bincount(path, minlength=count).min() / len(path)),
            )
        )
    return tuple(table)


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
