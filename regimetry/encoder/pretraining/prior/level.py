"""The aspect ``level``: regimes of different means."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform
from regimetry.encoder.pretraining.prior.drawn import Values


def draw_affected(generator: np.random.Generator, n_features: int) -> Values:
    """Return 1 for the channels (F,) that an aspect touches, else 0: all, or about half."""
    affected = np.ones(n_features)
    if happens(generator, 0.5):
        affected = (generator.random(n_features) < 0.5).astype(np.float64)
        affected[generator.integers(n_features)] = 1.0
    return affected


def draw_levels(generator: np.random.Generator, n_states: int, n_features: int) -> Values:
    """Return means (K, F): normal, of one spread from .2 to 2, in half of the series shared."""
    spread = log_uniform(generator, 0.2, 2.0)
    n = 1 if happens(generator, 0.5) else n_features
    levels = spread * generator.standard_normal((n_states, n))
    return levels * draw_affected(generator, n_features)
