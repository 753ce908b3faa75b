"""Chaotic maps: the logistic, the tent and the Hénon map."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import log_uniform
from regimetry.encoder.pretraining.prior.drawn import Values

MAPS = ("logistic", "tent", "henon")
_STEPS = 64  # rows of one orbit: many orbits run side by side
_SETTLING = 12


def draw_chaos(generator: np.random.Generator, n_rows: int, n_features: int) -> Values:
    """Return orbits (T, F) of one map, of variance 1, with .03 to .5 of noise.

    An orbit lasts 64 rows; then the next starts elsewhere on the attractor.
    """
    name = MAPS[int(generator.integers(len(MAPS)))]
    orbits = _orbits(generator, name, (-(-n_rows // _STEPS)) * n_features)
    values = orbits.reshape(_STEPS, -1, n_features).transpose(1, 0, 2).reshape(-1, n_features)
    values = values[:n_rows]
    values = (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-6)
    noise = log_uniform(generator, 0.03, 0.5)
    values = values + noise * generator.standard_normal(values.shape)
    return values / np.sqrt(1.0 + noise**2)


def _orbits(generator: np.random.Generator, name: str, n: int) -> Values:
    """Return orbits (64, n) of one map with one parameter."""
    x, y = generator.uniform(0.1, 0.9, n), np.full(n, 0.3)
    strength = generator.random()  # 0: the weakest chaos of the range
    orbits = np.empty((_STEPS, n))
    for step in range(-_SETTLING, _STEPS):
        if name == "logistic":
            x = (3.6 + 0.4 * strength) * x * (1.0 - x)
        elif name == "tent":
            x = (1.7 + 0.29 * strength) * np.minimum(x, 1.0 - x)
        else:
            x, y = 1.0 - (1.1 + 0.3 * strength) * x * x + y, 0.3 * x
            x = np.clip(x, -3.0, 3.0)
        orbits[max(step, 0)] = x
    return orbits
