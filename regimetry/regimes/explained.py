"""How much of what windows look like labels explain, apart from the bars that they were read from.

A window is most like itself: labels that its own bars gave explain it well even if all of it is
noise. What they say of windows that share no bar with it is what lasts, as in the time-lagged
correlation that the slow directions maximise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.windows import with_later

Array = NDArray[np.float64]


def explained_apart(
    points: NDArray[np.floating],
    labels: NDArray[np.integer],
    ahead: int,
    behind: int,
    offsets: NDArray[np.int64],
) -> float:
    """Return the share of the variance of points that labels at other places explain.

    The correlation ratio (Fisher 1925), the mean of the points ``ahead`` later and of those
    ``behind`` earlier.

    Parameters
    ----------
    points : ndarray of float, shape (N, L)
        Of windows in time order.
    labels : ndarray of int, shape (N,)
        Below 0 where there is none.
    ahead, behind : int
        In places.
    offsets : ndarray of int64, shape (I + 1,)
        Boundaries of series that lie one after the other; no pair crosses one.

    Returns
    -------
    float
        0 to 1; 0 where there are no pairs, or the points do not vary.
    """
    early, late = with_later(offsets, ahead), with_later(offsets, behind)
    forward = _correlation_ratio(points[early + ahead], labels[early])
    backward = _correlation_ratio(points[late], labels[late + behind])
    return (forward + backward) / 2.0


def _correlation_ratio(points: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the share of the variance of points (n, L) that lies between labels (n,) from 0 on."""
    known = labels >= 0
    if not known.any():
        return 0.0
    values, kinds = np.asarray(points[known], np.float64), labels[known]
    values -= values.mean(axis=0)
    counts = np.bincount(kinds)
    sums = np.stack([np.bincount(kinds, weights=column) for column in values.T], axis=1)
    between = float(np.sum(sums**2 / np.maximum(counts, 1)[:, None]))
    total = float(np.sum(values**2))
    return between / total if total > 0 else 0.0
