"""Channels that have nothing to do with the regimes."""

from __future__ import annotations

import numpy as np
from scipy.signal import lfilter

from regimetry.encoder.pretraining.prior.chance import log_uniform, pick
from regimetry.encoder.pretraining.prior.clustering import cluster, draw_clustering
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.path import one_state

_FAMILIES = {"noise": 0.3, "slow": 0.3, "garch": 0.2, "cycle": 0.2}
_NEEDS = {"slow": "dynamics", "garch": "garch", "cycle": "waveform"}


def draw_nuisance(
    generator: np.random.Generator, n_rows: int, n: int, allowed: frozenset[str]
) -> Values:
    """Return n channels (T, n): noise, AR(1) of .8 to .999, GARCH, or a cycle of 5 to 200 rows."""
    weights = {
        family: weight
        for family, weight in _FAMILIES.items()
        if family not in _NEEDS or _NEEDS[family] in allowed
    }
    families = [pick(generator, weights) for _ in range(n)]
    return np.stack([_channel(generator, n_rows, family) for family in families], axis=1)


def _channel(generator: np.random.Generator, n_rows: int, family: str) -> Values:
    noise = generator.standard_normal(n_rows)
    if family == "slow":
        memory = 1.0 - log_uniform(generator, 0.001, 0.2)
        noise[1:] *= np.sqrt(1.0 - memory**2)
        return np.asarray(lfilter([1.0], [1.0, -memory], noise))
    if family == "garch":
        law, path = draw_clustering(generator, 1), one_state(n_rows)
        return cluster(generator, noise[:, None], law, path.states)[:, 0]
    if family == "cycle":
        turns = np.arange(n_rows) / log_uniform(generator, 5.0, 200.0) + generator.random()
        return np.sin(2.0 * np.pi * turns) + log_uniform(generator, 0.02, 0.5) * noise
    return noise
