"""Numpy twins of the extension: slow, short, and written from the definitions."""

import numpy as np


def rolling_windows(values, window_size, stride=1):
    """Windows (N, W, F) by numpy's own sliding view."""
    view = np.lib.stride_tricks.sliding_window_view(values, window_size, axis=0)
    return view.transpose(0, 2, 1)[::stride]


def jump_forward(distance, penalty, state=None):
    """Causal labels and costs less their minimum."""
    costs = np.zeros(distance.shape[1]) if state is None else np.asarray(state, dtype=float)
    rows = []
    for row in np.asarray(distance, dtype=float):
        costs = row + np.minimum(costs, costs.min() + penalty)
        costs = costs - costs.min()
        rows.append(costs)
    values = np.array(rows).reshape(len(distance), distance.shape[1])
    return values.argmin(axis=1), values


def path_cost(distance, labels, penalty):
    """What the dynamic programme minimises."""
    changes = np.count_nonzero(np.diff(labels))
    return distance[np.arange(len(labels)), labels].sum() + penalty * changes
