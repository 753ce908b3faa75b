"""Bursts: shots of exponential size that fade (shot noise)."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform
from regimetry.encoder.pretraining.prior.drawn import Values


def draw_bursts(generator: np.random.Generator, n_rows: int, n_features: int) -> Values:
    """Return bursts (T, F) of mean 0 and variance 1 with .03 to .5 of noise.

    A share of .01 to .2 of the rows has a burst, in half of the draws in all channels at once; a
    row leaves .2 to .95 of it.
    """
    rate, decay = log_uniform(generator, 0.01, 0.2), generator.uniform(0.2, 0.95)
    hits = generator.random((n_rows, n_features if happens(generator, 0.5) else 1)) < rate
    sizes = hits * generator.standard_exponential((n_rows, n_features))
    signs = np.where(generator.random(n_features) < 0.5, 1.0, -1.0)
    values = lfilter([1.0], [1.0, -decay], sizes, axis=0)
    # A shot has E s = 1, E s^2 = 2: the moments of the sum of all that fade.
    mean = rate / (1.0 - decay)
    deviation = np.sqrt((2.0 * rate - rate**2) / (1.0 - decay**2))
    noise = log_uniform(generator, 0.03, 0.5)
    values = signs * (values - mean) / deviation
    values += noise * generator.standard_normal(values.shape)
    return np.asarray(values / np.sqrt(1.0 + noise**2))
