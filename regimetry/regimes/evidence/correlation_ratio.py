"""How much of the windows' variance labels explain, also in windows that share no bar with them.

Labels that come from a window's own bars explain it well, even if all of it is noise. What they
explain in windows without a common bar is what lasts, as in the time-lagged correlation that the
slow directions maximise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.windows import with_later


def correlation_ratio(points: NDArray[np.floating], labels: NDArray[np.integer]) -> float:
    """Return the share of the points' variance that lies between the labels; 0 without any.

    Eta squared (Pearson 1905), and what k-means maximises. In the slow directions, which
    are scaled by their autocorrelation, it is the share of the kinetic variance (Noe, Clementi
    2015).

    Parameters
    ----------
    points : ndarray, shape (N, L)
    labels : ndarray of int, shape (N,)
    """
    centred = np.asarray(points, np.float64) - points.mean(axis=0, dtype=np.float64)
    counts = np.bincount(labels)
    sums = np.stack([np.bincount(labels, weights=column) for column in centred.T], axis=1)
    between = np.sum(sums**2 / np.maximum(counts, 1)[:, None])
    return float(between / max(np.sum(centred**2), np.finfo(float).tiny))


def correlation_ratio_apart(
    points: NDArray[np.floating],
    labels: NDArray[np.integer],
    ahead: int,
    behind: int,
    offsets: NDArray[np.int64],
) -> float:
    """Return the share of the variance of points that labels at other places explain.

    The mean of :func:`correlation_ratio` of the points ``ahead`` later and of those ``behind``
    earlier.

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
    ratios = []
    for places, own in ((early + ahead, labels[early]), (late, labels[late + behind])):
        known = own >= 0
        ratios.append(correlation_ratio(points[places[known]], own[known]) if known.any() else 0.0)
    return float(np.mean(ratios))
