"""Series of one regime: what an encoder must not cut into several."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform, pick
from regimetry.encoder.pretraining.prior.clustering import cluster, draw_clustering
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.dynamics import autoregress
from regimetry.encoder.pretraining.prior.noise import draw_random_process
from regimetry.encoder.pretraining.prior.path import Path, one_state
from regimetry.encoder.pretraining.prior.waveform import Ranges, draw_waveform

_FAMILIES = {
    "noise": 0.25,
    "autoregression": 0.2,
    "garch": 0.15,
    "waveform": 0.12,
    "slow_cycle": 0.1,
    "trend": 0.09,
    "random_walk": 0.09,
}
_NEEDS = {
    "autoregression": "dynamics",
    "garch": "garch",
    "waveform": "waveform",
    "slow_cycle": "waveform",
    "trend": "dynamics",
    "random_walk": "dynamics",
}


def draw_one_regime(
    generator: np.random.Generator, n_rows: int, n_features: int, allowed: frozenset[str]
) -> Values:
    """Return a process (T, F) of one regime.

    Noise with any law of the aspects, AR(1) up to .97, GARCH, one waveform, a cycle of T / 8 to
    T rows, a smooth trend or a random walk.
    """
    weights = {
        family: weight
        for family, weight in _FAMILIES.items()
        if family not in _NEEDS or _NEEDS[family] in allowed
    }
    family, path = pick(generator, weights), one_state(n_rows)
    if family == "noise":
        return draw_random_process(generator, path, n_features, frozenset(), allowed)
    if family in {"waveform", "slow_cycle"}:
        slow = Ranges((n_rows / 8.0, float(n_rows)), (0.003, 0.5))
        ranges = Ranges() if family == "waveform" else slow
        return draw_waveform(generator, path, n_features, ranges)
    noise = generator.standard_normal((n_rows, n_features))
    if family == "garch":
        return cluster(generator, noise, draw_clustering(generator, 1), path.states)
    if family == "autoregression":
        return _autoregression(generator, noise, path)
    if family == "random_walk":
        return np.cumsum(noise, axis=0)
    return _trend(generator, n_rows, n_features) + log_uniform(generator, 0.01, 0.5) * noise


def _autoregression(generator: np.random.Generator, noise: Values, path: Path) -> Values:
    n = 1 if happens(generator, 0.5) else noise.shape[1]
    first = np.broadcast_to(generator.uniform(0.5, 0.97, n), (1, noise.shape[1]))
    return autoregress(noise, first, np.zeros_like(first), path, goes_on=True)


def _trend(generator: np.random.Generator, n_rows: int, n_features: int) -> Values:
    """Return polynomials of degree 1 to 3 of the time, of variance 1."""
    time = np.linspace(-1.0, 1.0, n_rows)[:, None]
    degrees = np.arange(1, int(generator.integers(1, 4)) + 1)
    trend = (time**degrees) @ generator.standard_normal((len(degrees), n_features))
    return (trend - trend.mean(axis=0)) / np.maximum(trend.std(axis=0), 1e-3)
