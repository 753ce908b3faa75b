"""Clusters that begin where windows of known states lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.agreement import adjusted_rand, contingency
from regimetry.analysis.assignment import best_matching
from regimetry.regimes.clustering.clusters import Array, lloyd, nearest
from regimetry.regimes.clustering.landmarks import Clustering

_BETTER = 0.05
"""Of the adjusted Rand index with known states, by which other clusters must agree better."""


def seeded(found: Clustering, known: NDArray[np.integer]) -> Clustering:
    """Put clusters where known states lie, and let them go on (Basu, Banerjee, Mooney 2002).

    Parameters
    ----------
    found : Clustering
        Of E windows.
    known : ndarray of int, shape (E,)
        State of each window, -1 where it is not known.
    """
    centroids = _from_states(found.coordinates, found.labels, known, len(found.centroids))
    if centroids is None:
        return found
    return replace(found, centroids=centroids, labels=nearest(found.coordinates, centroids))


def told_by_states(
    points: Array, fitted: NDArray[np.int64], found: Clustering, known: NDArray[np.integer]
) -> NDArray[np.intp] | None:
    """Return clusters of the slow directions that begin at states, if they agree with them better.

    The spectral coordinates keep what sets the largest clusters apart; states may be others.

    Parameters
    ----------
    points : ndarray, shape (N, L)
        Windows in the slow directions.
    fitted : ndarray of int64, shape (E,)
        Those of ``found``.
    found : Clustering
    known : ndarray of int, shape (N,)

    Returns
    -------
    ndarray of int, shape (N,), or None
        0 to K - 1, none empty.
    """
    count = len(found.centroids)
    centres = _from_states(points[fitted], found.labels, known[fitted], count)
    if centres is None:
        return None
    labels = nearest(points, centres)
    if len(np.unique(labels[fitted])) < count:
        return None
    before, after = (_agreement(one, known[fitted]) for one in (found.labels, labels[fitted]))
    return labels if after > before + _BETTER else None


def _from_states(
    points: Array, labels: NDArray[np.integer], known: NDArray[np.integer], count: int
) -> Array | None:
    """Return centres of k-means: of the best match of each state from its mean, others as they are.

    ``None`` where no state is known, or more than there are clusters.
    """
    states = np.unique(known[known >= 0])
    if not len(states) or len(states) > count:
        return None
    told = known >= 0
    shared = contingency(labels[told], np.searchsorted(states, known[told]), count, len(states))
    members = [points[labels == k] for k in range(count)]
    centres = np.stack([(own if len(own) else points).mean(axis=0) for own in members])
    for state, cluster in zip(states, best_matching(shared.T), strict=True):
        centres[cluster] = points[known == state].mean(axis=0)
    found: Array = lloyd(points, centres[None])[0][0]
    return found


def _agreement(labels: NDArray[np.integer], known: NDArray[np.integer]) -> float:
    own, states = labels[known >= 0], known[known >= 0]
    return adjusted_rand(contingency(own, states, int(own.max()) + 1, int(states.max()) + 1))
