"""The aspect ``jumps``: regimes in which rare jumps carry a part of the variance (Merton 1976)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform
from regimetry.encoder.pretraining.prior.drawn import States, Values


@dataclass(frozen=True)
class Jumps:
    """Jumps by state.

    Attributes
    ----------
    rate : ndarray of float64, shape (K,)
        Share of the rows with a jump; 0: a state without.
    part : ndarray of float64, shape (K,)
        Part of the variance that the jumps carry.
    common : bool
        Whether all channels jump at once.
    """

    rate: Values
    part: Values
    common: bool


def draw_jumps(generator: np.random.Generator, n_laws: int) -> Jumps:
    """Return jumps in 1.5 to 15 % of the rows; of several states one has none in 80 % of draws."""
    jumping = np.ones(n_laws)
    if n_laws > 1 and happens(generator, 0.8):
        jumping[generator.integers(n_laws)] = 0.0
    rates = np.array([log_uniform(generator, 0.015, 0.15) for _ in range(n_laws)])
    parts = generator.uniform(0.3, 0.8, n_laws)
    return Jumps(rates * jumping, parts * jumping, happens(generator, 0.5))


def add_jumps(generator: np.random.Generator, noise: Values, law: Jumps, states: States) -> Values:
    """Return noise (T, F) of variance 1 with jumps; its variance stays 1."""
    n_rows, n_features = noise.shape
    which = states if len(law.rate) > 1 else np.zeros_like(states)
    rate, part = law.rate[which], law.part[which]
    hits = generator.random((n_rows, 1 if law.common else n_features)) < rate[:, None]
    size = np.sqrt(part / np.maximum(rate, 1e-9))[:, None]
    at, channel = np.nonzero(np.broadcast_to(hits, noise.shape))
    out = noise * np.sqrt(1.0 - part)[:, None]
    out[at, channel] += size[at, 0] * generator.standard_normal(len(at))
    return out
