"""Rows far from each other: the greedy k-means++ of Arthur, Vassilvitskii 2007.

What :func:`sklearn.cluster.kmeans_plusplus` draws, in a third of its time: with hundreds of rows to
draw, each of its steps spends most of its time on checks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def plus_plus(
    points: NDArray[np.floating], count: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw rows one by one, each of a few with the odds of its squared distance to those drawn.

    Of these few the one is taken that leaves the least sum of squared distances.

    Parameters
    ----------
    points : ndarray, shape (N, L)
    count : int
        At most N.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (count,)
        In the order of drawing; a row repeats only if fewer points differ.
    """
    centred = points - points.mean(axis=0)
    squares = np.einsum("nl,nl->n", centred, centred)
    ones = np.ones_like(squares)
    # The product of a row of the one and a column of the other is their squared distance.
    left = np.column_stack([-2.0 * centred, squares, ones])
    right = np.ascontiguousarray(np.column_stack([centred, ones, squares]).T)
    trials = 2 + int(np.log(count))
    odds = generator.random((count, trials))
    rows = np.empty(count, dtype=np.int64)
    rows[0] = int(odds[0, 0] * len(points))
    nearest = np.maximum(left[rows[0]] @ right, 0.0)
    for number in range(1, count):
        total = nearest.cumsum(dtype=np.float64)
        tried = total.searchsorted(odds[number] * total[-1], side="right")
        tried[tried == len(points)] = rows[0]  # all is drawn: the total is 0
        squared = left[tried] @ right
        np.minimum(squared, nearest, out=squared)
        best = (squared @ ones).argmin()
        rows[number] = tried[best]
        np.maximum(squared[best], 0.0, out=nearest)
        nearest[rows[number]] = 0.0
    return rows
