"""Numpy twins of the extension: slow, short, and written from the definitions."""

import itertools
import math
import statistics

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


def ohlcv_row(bars, n):
    """Features of the last of some bars (dicts of floats), written from their formulas."""
    now, last = bars[-1], bars[-n:]
    prices = [bar.get("adjusted_close", bar["close"]) for bar in bars]
    returns = [math.log(b / a) for a, b in itertools.pairwise(prices)][-n:]
    variances = [
        math.log(bar["high"] / bar["low"]) ** 2 / 2
        - (2 * math.log(2) - 1) * math.log(bar["close"] / bar["open"]) ** 2
        for bar in last
    ]
    row = {
        "log_return": returns[-1],
        "realised_volatility": math.sqrt(statistics.fmean(r * r for r in returns)),
        "garman_klass_volatility": math.sqrt(statistics.fmean(variances)),
        "range": math.log(now["high"] / now["low"]),
        "momentum": math.log(prices[-1] / prices[-1 - n]),
        "drawdown": prices[-1] / max(prices[-n:]) - 1,
    }
    if "volume" in now:
        logarithms = [math.log(bar["volume"]) for bar in last]
        centred = logarithms[-1] - statistics.fmean(logarithms)
        row["volume_zscore"] = centred / statistics.pstdev(logarithms)
    return row
