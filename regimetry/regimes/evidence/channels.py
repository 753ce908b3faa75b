"""Which channels add evidence.

A trailing mean or deviation of another channel repeats the evidence of that channel, and late.
Counted twice, it would drown the evidence of the other channels.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from regimetry.regimes.clustering.sampling import Array, balanced_rows
from regimetry.windows import Windows, with_later

MOST_R_SQUARED = 0.6
"""A channel is left out where the window of those already taken explains this share of it."""

MOST_CHANNELS = 8

_ROWS = 3000  # that a share is measured on: drawn evenly over the series
_FOLDS = 4
_RIDGE = 0.01  # of the number of rows, for predictors of unit variance


def own_channels(windows: Windows, seed: int = 0) -> tuple[int, ...]:
    """Choose channels, none of which the windows of the others explain.

    The first is the one that its own past explains least. Then comes, one at a time, the channel
    that the window of the chosen ones explains least, in squares, magnitudes and levels, until that
    is more than :data:`MOST_R_SQUARED`.

    Parameters
    ----------
    windows : Windows, shape (N, W, F)
        Preprocessed, in time order.
    seed : int
        Of the windows on which shares are measured.

    Returns
    -------
    tuple of int
        In rising order, at least one and at most :data:`MOST_CHANNELS`.
    """
    n_channels = windows.shape[2]
    # Windows that another one precedes: the first of a series shares no bar with an earlier one.
    follows = with_later(windows.offsets, 1) + 1
    counts = np.maximum(np.diff(windows.offsets) - 1, 0)
    edges = np.concatenate([[0], np.cumsum(counts)])
    drawn = follows[balanced_rows(edges, _ROWS, np.random.default_rng(seed))]
    # (rows, W, F): the newest bar first.
    drawn_windows = windows.take(drawn)[:, ::-1].astype(np.float64)
    own = [
        _r_squared(drawn_windows[:, 1:, channel], drawn_windows[:, :1, channel])[0]
        for channel in range(n_channels)
    ]
    chosen = [int(np.argmin(own))]
    while len(chosen) < min(n_channels, MOST_CHANNELS):
        rest = [channel for channel in range(n_channels) if channel not in chosen]
        seen = drawn_windows[:, :, chosen].reshape(len(drawn_windows), -1)
        predictors = np.concatenate([seen, np.abs(seen), seen**2], axis=1)
        r_squared = _r_squared(predictors, drawn_windows[:, 0, rest])
        if r_squared.min() > MOST_R_SQUARED:
            break
        chosen.append(rest[int(np.argmin(r_squared))])
    return tuple(sorted(chosen))


def _r_squared(predictors: Array, targets: Array) -> Array:
    """Return the cross-validated share of variance of each target column; below 0 for none.

    Folds are stretches of time; ridge regression.
    """
    edges = np.linspace(0, len(targets), _FOLDS + 1).astype(int)
    error, total = np.zeros(targets.shape[1]), np.zeros(targets.shape[1])
    for first, last in pairwise(edges):
        fit = np.ones(len(targets), dtype=bool)
        fit[first:last] = False
        if not 0 < fit.sum() < len(fit):
            continue
        mean, level = predictors[fit].mean(axis=0), targets[fit].mean(axis=0)
        deviation = predictors[fit].std(axis=0) + 1e-9
        seen = (predictors - mean) / deviation
        gram = seen[fit].T @ seen[fit]
        gram.flat[:: len(gram) + 1] += _RIDGE * fit.sum()
        weights = np.linalg.solve(gram, seen[fit].T @ (targets[fit] - level))
        held = targets[first:last] - level
        error += np.sum((held - seen[first:last] @ weights) ** 2, axis=0)
        total += np.sum(held**2, axis=0)
    return 1.0 - np.divide(error, total, out=np.ones_like(error), where=total > 0)
