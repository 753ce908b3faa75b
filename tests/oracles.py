"""Numpy twins of the extension: slow, short, and written from the definitions."""

import itertools
import math
import statistics

import numpy as np


def rolling_windows(values, window_size, stride=1):
    """Windows (N, W, F) by numpy's own sliding view."""
    view = np.lib.stride_tricks.sliding_window_view(values, window_size, axis=0)
    return view.transpose(0, 2, 1)[::stride]


def gather_windows(values, starts, window_size):
    """Windows (B, W, F) in float32, one slice each."""
    batch = np.empty((len(starts), window_size, values.shape[1]), dtype=np.float32)
    with np.errstate(over="ignore", invalid="ignore"):
        for number, start in enumerate(starts):
            batch[number] = values[start : start + window_size]
    return batch


class StreamBuffer:
    """The rows of one series, all of them, in a list."""

    def __init__(self, window_size):
        self.window_size = window_size
        self.rows = []

    def push(self, row):
        """Add a row; return the window behind it, or None."""
        self.rows.append(np.asarray(row, dtype=np.float32))
        return self.window()

    def window(self):
        """The last W rows, or None."""
        if len(self.rows) < self.window_size:
            return None
        return np.stack(self.rows[-self.window_size :])


class StreamBank:
    """A dictionary of buffers."""

    def __init__(self, n_streams, window_size):
        self.window_size = window_size
        self.streams = {number: StreamBuffer(window_size) for number in range(n_streams)}

    def push(self, ids, rows):
        """Push the rows one by one; return the ids and windows that came out."""
        pushed = [
            (number, self.streams[number].push(row))
            for number, row in zip(ids.tolist(), rows, strict=True)
        ]
        ready = [(number, window) for number, window in pushed if window is not None]
        return [number for number, _ in ready], [window for _, window in ready]

    def add(self, count):
        """Make streams under the lowest free numbers."""
        fresh = []
        number = 0
        while len(fresh) < count:
            if number not in self.streams:
                self.streams[number] = StreamBuffer(self.window_size)
                fresh.append(number)
            number += 1
        return fresh


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


def follow(distance, novelty, penalty, sharpness, memory):
    """Labels, probabilities and running means of one series, a row at a time."""
    labels, costs = jump_forward(distance, penalty)
    probability, means = [], []
    for row, value in zip(costs, novelty.tolist(), strict=True):
        weights = np.exp(-sharpness * row)
        probability.append(weights / weights.sum())
        means.append(means[-1] + memory * (value - means[-1]) if means else value)
    return labels, np.array(probability).reshape(costs.shape), np.array(means)


def jump_path(distance, penalty):
    """The cheapest path by dynamic programming; staying beats changing, the lowest state wins."""
    costs = np.zeros(distance.shape[1])
    origins = []
    for row in np.asarray(distance, dtype=float):
        stays = costs <= costs.min() + penalty
        origins.append(np.where(stays, np.arange(len(costs)), costs.argmin()))
        costs = row + np.minimum(costs, costs.min() + penalty)
        costs = costs - costs.min()
    path = []
    state = costs.argmin()
    for origin in reversed(origins):
        path.append(state)
        state = origin[state]
    return np.array(path[::-1], dtype=np.int64)


def series_of(offsets):
    """Slices of the series that lie one behind the other."""
    return [slice(a, b) for a, b in itertools.pairwise(offsets)]


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


def scale_densities(residuals, density, scales):
    """Log densities (T, K) of one series, and scales (T, K, 2 C) after each row."""
    size = density.n_channels
    logs, after = [], []
    state = np.array(scales, dtype=np.float64)
    for row in residuals:
        found = []
        for k, e in enumerate(row):
            h, fall = state[k, :size], state[k, size:]
            u = density.factors[k] @ (e / np.sqrt(h + fall))
            q = np.where(u > 0, u / density.skew, u * density.skew)
            nu, d = density.freedom[k], float(q @ q)
            log = (
                math.lgamma((nu + size) / 2)
                - math.lgamma(nu / 2)
                - size / 2 * math.log(nu * math.pi)
            )
            log -= (nu + size) / 2 * math.log(1 + d / nu) + 0.5 * float(np.log(h + fall).sum())
            found.append(log + float(np.log(2 / (density.skew + 1 / density.skew)).sum()))
            square = (nu + size) / (nu + d) * e**2
            below = density.leverage[k] * (e < 0) * square
            state[k, size:] = below + density.fall_memory[k] * fall
            state[k, :size] = density.omega[k] + density.shock[k] * square + density.memory[k] * h
        logs.append(found)
        after.append(state.copy())
    return np.array(logs), np.array(after)


def chain_filter(logs, stay):
    """Probabilities (T, K) before and after each row, one row at a time."""
    count = logs.shape[1]
    chain = np.full((count, count), (1 - stay) / max(count - 1, 1))
    np.fill_diagonal(chain, stay if count > 1 else 1.0)
    state, before, after = np.full(count, 1 / count), [], []
    for t, log in enumerate(logs):
        state = state @ chain if t else state
        before.append(state)
        state = state * np.exp(log - log.max())
        state = state / state.sum()
        after.append(state)
    return np.array(before), np.array(after)
