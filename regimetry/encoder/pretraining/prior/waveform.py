"""The aspect ``waveform``: regimes whose cycles differ in shape, period or noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform, pick_several
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.path import Path
from regimetry.encoder.pretraining.prior.shapes import draw_shape, trace

_VARIED = {"shape": 0.4, "period": 0.4, "noise": 0.2}


@dataclass(frozen=True)
class Ranges:
    """From where to where periods (rows) and noise (of a cycle of variance 1) are drawn."""

    period: tuple[float, float] = (4.0, 90.0)
    noise: tuple[float, float] = (0.03, 0.9)


def draw_waveform(
    generator: np.random.Generator,
    path: Path,
    n_features: int,
    ranges: Ranges = Ranges(),
) -> Values:
    """Return cycles (T, F) of variance 1 whose states differ in shape, period or noise."""
    n_states = path.n_states
    varied = pick_several(generator, _VARIED, int(generator.integers(1, 4)))
    if varied == ["noise"] and ranges.noise[1] < 0.1:  # too little to tell states apart
        varied = ["shape"]
    n_shapes = n_states if "shape" in varied else 1
    shapes = np.stack([draw_shape(generator, n_features) for _ in range(n_shapes)])
    which = path.states if n_shapes > 1 else np.zeros_like(path.states)
    periods = _by_state(generator, n_states, ranges.period, "period" in varied)
    noise = _by_state(generator, n_states, ranges.noise, "noise" in varied)[path.states, None]
    phase = draw_phase(generator, path, 1.0 / periods[path.states])
    values = trace(shapes, which, phase)
    if happens(generator, 0.5):
        strength = generator.uniform(0.05, 0.35)
        values *= np.exp(strength * wander(generator, len(phase)) - strength**2)[:, None]
    values += noise * generator.standard_normal(values.shape)
    return values / np.sqrt(1.0 + noise**2)


def _by_state(
    generator: np.random.Generator, n_states: int, bounds: tuple[float, float], differ: bool
) -> Values:
    n = n_states if differ else 1
    return np.resize([log_uniform(generator, *bounds) for _ in range(n)], n_states)


def draw_phase(generator: np.random.Generator, path: Path, frequency: Values) -> Values:
    """Return the phase (T,) of cycles of a frequency (T,), per row.

    In half of the draws the frequency wanders; in half, each stay starts at a phase of its own.
    """
    if happens(generator, 0.5):
        wandering = wander(generator, len(frequency))
        frequency = frequency * np.exp(generator.uniform(0.0, 0.2) * wandering)
    phase = np.cumsum(frequency) + generator.random()
    if happens(generator, 0.5):
        starts = path.first_rows
        phase += np.repeat(generator.random(len(starts)), np.diff(starts, append=len(phase)))
    return phase


def wander(generator: np.random.Generator, n_rows: int) -> Values:
    """Return a smooth random curve (T,): straight lines between normal knots 10 to 300 rows apart.

    Straight lines and not an autoregression: a cycle that they modulate stays free of noise.
    """
    length = log_uniform(generator, 10.0, 300.0)
    knots = generator.standard_normal(int(n_rows / length) + 2)
    return np.interp(np.arange(n_rows) / length, np.arange(len(knots)), knots)
