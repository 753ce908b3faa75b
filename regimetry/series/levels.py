"""Columns that sit on a few levels: set points, switches, quantised readings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST_LEVELS = 6

_SAMPLE = 500  # values that levels are found on
_STEP_SHARE = 0.8  # of the steps' size, which is 1.4 times that of noise about a level
_LEAST_NOISE = 1e-3  # of the deviation: noiseless levels are levels too
_NORMAL = 0.6745  # median of what is normal, in deviations
_USUAL = 98  # per cent of the steps; the others may be changes of level


def sits_on_levels(column: NDArray[np.float64]) -> bool:
    """Return whether noise about at most six levels explains the steps of a column (T,).

    Such a column changes its level seldom and looks like a random walk to its AR(1) coefficient.
    A walk has no levels: what k-means leaves of it is far larger than its steps. The median of what
    is left counts, so that ramps between set points do no harm.
    """
    deviation = float(column.std())
    if deviation == 0.0:
        return True
    steps = np.abs(np.diff(column))
    usual = steps[steps <= np.percentile(steps, _USUAL)]
    noise = max(_STEP_SHARE * float(np.sqrt((usual**2).mean())), _LEAST_NOISE * deviation)
    ranked = np.sort(column)
    some = ranked[np.linspace(0, len(ranked) - 1, min(_SAMPLE, len(ranked))).astype(np.int64)]
    for centres in _best_centres((some - some.mean()) / deviation, MOST_LEVELS):
        levels = centres * deviation + some.mean()
        nearest = np.searchsorted((levels[1:] + levels[:-1]) / 2.0, column)
        if float(np.median(np.abs(column - levels[nearest]))) / _NORMAL <= noise:
            return True
    return False


def _best_centres(ranked: NDArray[np.float64], most: int) -> list[NDArray[np.float64]]:
    """Return the best 2 to ``most`` centres of sorted values: k-means in one dimension, exactly.

    By dynamic programming over the first value of the last cluster (Wang, Song 2011).
    """
    n_values = len(ranked)
    sums = np.append(0.0, np.cumsum(ranked))
    squares = np.append(0.0, np.cumsum(ranked**2))
    first, end = np.arange(n_values)[:, None], np.arange(1, n_values + 1)
    size = np.maximum(end - first, 1)
    within = squares[end] - squares[first] - (sums[end] - sums[first]) ** 2 / size
    within[first >= end] = np.inf
    cost, begins, found = within[0], [np.zeros(n_values, np.int64)], []
    for _ in range(2, min(most, n_values) + 1):
        total = np.append(0.0, cost[:-1])[:, None] + within
        total[0] = np.inf  # the clusters before it hold a value
        begins.append(total.argmin(axis=0))
        cost = total[begins[-1], np.arange(n_values)]
        edges = [n_values]
        for begin in reversed(begins):
            edges.insert(0, int(begin[edges[0] - 1]))
        found.append(np.diff(sums[edges]) / np.maximum(np.diff(edges), 1))
    return found
