"""Body motion: activities of quasi-periodic cycles, seen by sensors that lag behind each other."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.following import follow
from regimetry.encoder.pretraining.prior.level import draw_levels
from regimetry.encoder.pretraining.prior.path import Path
from regimetry.encoder.pretraining.prior.regimes import Process
from regimetry.encoder.pretraining.prior.shapes import draw_shape, trace
from regimetry.encoder.pretraining.prior.waveform import draw_phase, wander


def draw_body(
    generator: np.random.Generator, path: Path, n_features: int, allowed: frozenset[str]
) -> Process:
    """Return motion (T, F) whose states are activities.

    Each activity has random Fourier shapes, a period of 10 to 150 rows (within a factor of 3 of
    the others), amplitudes by channel and a posture. Period and amplitude wander, by up to
    20 % and 40 %; noise is .01 to .3. In 30 % of the series one activity is rest.
    """
    n_states = path.n_states
    differ = {"waveform"}
    shapes = np.stack([draw_shape(generator, n_features, "fourier") for _ in range(n_states)])
    centre = log_uniform(generator, 17.0, 87.0)
    periods = centre * np.exp(generator.uniform(-0.55, 0.55, n_states))
    phase = draw_phase(generator, path, 1.0 / periods[path.states])
    values = trace(shapes, path.states, phase)
    strength = generator.uniform(0.05, 0.4)
    values *= np.exp(strength * wander(generator, len(phase)))[:, None]
    if "volatility" in allowed:
        differ.add("volatility")
        values *= _amplitudes(generator, n_states, n_features)[path.states]
    values += log_uniform(generator, 0.01, 0.3) * generator.standard_normal(values.shape)
    if "level" in allowed and happens(generator, 0.7):
        differ.add("level")
        posture = draw_levels(generator, n_states, n_features)[path.states]
        values += follow(posture, generator.uniform(0.0, 0.95))
    return values, frozenset(differ)


def _amplitudes(generator: np.random.Generator, n_states: int, n_features: int) -> Values:
    amplitudes = np.exp(0.4 * generator.standard_normal((n_states, n_features)))
    if happens(generator, 0.3):
        amplitudes[generator.integers(n_states)] *= log_uniform(generator, 0.02, 0.2)
    return amplitudes
