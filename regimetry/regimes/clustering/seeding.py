"""Rows far from each other: the greedy k-means++ of Arthur, Vassilvitskii 2007.

What :func:`sklearn.cluster.kmeans_plusplus` draws, in a third of its time: with hundreds of rows to
draw, each of its steps spends most of its time on checks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def plus_plus(
    points: NDArray[np.floating], count: int, generator: np.random.Generator, sets: int = 1
) -> NDArray[np.int64]:
    """Draw rows one by one, each of a few with the odds of its squared distance to those drawn.

    Of these few the one is taken that leaves the least sum of squared distances.

    Parameters
    ----------
    points : ndarray, shape (N, L)
    count : int
        At most N.
    generator : numpy.random.Generator
    sets : int
        S, how often to do so, side by side.

    Returns
    -------
    ndarray of int64, shape (S, count)
        In the order of drawing; a row repeats only if fewer points differ.
    """
    centred = points - points.mean(axis=0)
    squares = np.einsum("nl,nl->n", centred, centred)
    ones = np.ones_like(squares)
    # The product of a row of the one and a column of the other is their squared distance.
    left = np.column_stack([-2.0 * centred, squares, ones])
    right = np.ascontiguousarray(np.column_stack([centred, ones, squares]).T)
    size, each = len(points), np.arange(sets)
    first = each[:, None] * size  # of each set, where the sets lie one behind the other
    odds = generator.random((count, sets, 2 + int(np.log(count))))
    rows = np.empty((sets, count), dtype=np.int64)
    rows[:, 0] = odds[0, :, 0] * size
    nearest = np.maximum(left[rows[:, 0]] @ right, 0.0)
    before = np.zeros((sets, 1))
    for number in range(1, count):
        total = nearest.cumsum(dtype=np.float64)
        last = total[size - 1 :: size, None]
        before[1:] = last[:-1]
        tried = total.searchsorted(before + odds[number] * (last - before), side="right") - first
        # Rounding may lead over the edge of a set, as where nothing is left to draw.
        tried = np.minimum(np.maximum(tried, 0), size - 1)
        squared = (left[tried.ravel()] @ right).reshape(*tried.shape, size)
        np.minimum(squared, nearest[:, None], out=squared)
        best = (squared @ ones).argmin(axis=1)
        rows[:, number] = tried[each, best]
        np.maximum(squared[each, best], 0.0, out=nearest)
        nearest[each, rows[:, number]] = 0.0
    return rows
