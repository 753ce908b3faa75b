"""What sensors do to a signal: noise, curved scales, outliers, steps, limits, late updates."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform
from regimetry.encoder.pretraining.prior.drawn import Values


def mix(generator: np.random.Generator, values: Values, n_features: int) -> Values:
    """Return channels (T, n) that are weighted sums of others, half of the weights 0."""
    weights = generator.standard_normal((values.shape[1], n_features))
    weights *= generator.random(weights.shape) < 0.5
    weights[generator.integers(0, len(weights), n_features), np.arange(n_features)] = 1.0
    return values @ weights


def curve(generator: np.random.Generator, values: Values) -> Values:
    """Return values on a saturating or a logarithmic scale."""
    if happens(generator, 0.5):
        return np.tanh(values)
    return np.sign(values) * np.log1p(2.0 * np.abs(values))


def add_outliers(generator: np.random.Generator, values: Values) -> Values:
    """Return values of which about .2 % are off by 8 standard deviations (normal)."""
    n = int(generator.poisson(0.002 * values.size))
    rows = generator.integers(0, len(values), n)
    channels = generator.integers(0, values.shape[1], n)
    out = values.copy()
    out[rows, channels] += 8.0 * generator.standard_normal(n) * values.std(axis=0)[channels]
    return out


def quantise(generator: np.random.Generator, channel: Values) -> Values:
    """Return a channel (T,) rounded to 2 to 50 levels between its 1 % and 99 % quantile."""
    n_levels = round(log_uniform(generator, 2.0, 50.0))
    low, high = np.quantile(channel, [0.01, 0.99])
    step = (high - low) / (n_levels - 1)
    if step <= 0.0:
        return channel
    return low + step * np.round((np.clip(channel, low, high) - low) / step)


def limit(generator: np.random.Generator, channel: Values) -> Values:
    """Return a channel (T,) clipped below, above or both, where it would be in 1 to 15 %."""
    low = generator.uniform(0.01, 0.15) if happens(generator, 0.6) else 0.0
    high = 1.0 - generator.uniform(0.01, 0.15) if low == 0.0 or happens(generator, 0.5) else 1.0
    bounds = np.quantile(channel, [low, high])
    return np.clip(channel, bounds[0], bounds[1])


def hold(generator: np.random.Generator, channel: Values) -> Values:
    """Return a channel (T,) that is updated every 2 to 10 rows only."""
    every = int(generator.integers(2, 11))
    return channel[np.arange(len(channel)) // every * every]


def spoil(generator: np.random.Generator, values: Values) -> Values:
    """Return values (T, F) of which, in 8 % each, some channels are rounded, clipped or late."""
    for change in (hold, limit, quantise):
        if not happens(generator, 0.08):
            continue
        values = values.copy()
        draws = generator.random((values.shape[1],))
        draws[generator.integers(len(draws))] = 0.0  # at least one
        share = generator.uniform(0.2, 1.0)
        for channel in np.flatnonzero(draws < share):
            values[:, channel] = change(generator, values[:, channel])
    return values
