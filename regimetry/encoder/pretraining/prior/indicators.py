"""Channels computed from others: trailing statistics, differences, moves."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from regimetry.encoder.pretraining.prior.drawn import Values


def _indicator(channel: Values, name: str, size: int) -> Values:
    """Return an indicator (T,) of a channel over the last ``size`` rows; zeros come before."""
    if name == "mean":
        return trailing_mean(channel, size)
    if name == "deviation":
        return trailing_deviation(channel, size)
    if name == "change":
        return np.diff(channel, prepend=channel[0])
    if name == "move":
        return channel - np.concatenate([np.full(size, channel[0]), channel[:-size]])
    if name == "size":
        return np.abs(channel)
    weight = 2.0 / (size + 1.0)
    values: Values = lfilter([weight], [1.0, weight - 1.0], channel)
    return values


_NAMES = ("mean", "deviation", "change", "move", "size", "exponential")


def trailing_mean(channel: Values, size: int) -> Values:
    """Return the mean of each row and the size - 1 rows before it (T,)."""
    total = np.cumsum(channel)
    total[size:] -= total[:-size].copy()
    return total / size


def trailing_deviation(channel: Values, size: int) -> Values:
    """Return the standard deviation of each row and the size - 1 rows before it (T,)."""
    variance = trailing_mean(channel**2, size) - trailing_mean(channel, size) ** 2
    return np.sqrt(np.maximum(variance, 0.0))


def draw_indicators(generator: np.random.Generator, values: Values, n: int) -> Values:
    """Return n indicators (T, n) of drawn channels, over 3 to 30 rows."""
    out = np.empty((len(values), n))
    for column in range(n):
        channel = values[:, int(generator.integers(values.shape[1]))]
        name = _NAMES[int(generator.integers(len(_NAMES)))]
        out[:, column] = _indicator(channel, name, int(generator.integers(3, 31)))
    return out


def draw_market_features(generator: np.random.Generator, values: Values) -> Values:
    """Return (T, 3): one channel's trailing deviation over a short and a long window, and mean.

    The short window holds 4 to 10 rows, the long one 2 to 3 times as many.
    """
    channel = values[:, int(generator.integers(values.shape[1]))]
    short = int(generator.integers(4, 11))
    long = round(short * generator.uniform(2.0, 3.0))
    return np.stack(
        [
            trailing_deviation(channel, short),
            trailing_deviation(channel, long),
            trailing_mean(channel, long),
        ],
        axis=1,
    )
