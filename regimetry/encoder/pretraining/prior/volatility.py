"""The aspect ``volatility``: regimes of different standard deviations."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.level import draw_affected


def draw_volatilities(generator: np.random.Generator, n_states: int, n_features: int) -> Values:
    """Return standard deviations (K, F): log-normal, of one spread from .2 to 1."""
    spread = log_uniform(generator, 0.2, 1.0)
    n = 1 if happens(generator, 0.5) else n_features
    logarithms = spread * generator.standard_normal((n_states, n))
    return np.exp(logarithms * draw_affected(generator, n_features))
