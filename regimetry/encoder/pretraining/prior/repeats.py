"""Gestures and pulses that repeat: states share a shape and differ in its details."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.path import Path
from regimetry.encoder.pretraining.prior.regimes import Process
from regimetry.encoder.pretraining.prior.shapes import draw_shape, normalised, trace
from regimetry.encoder.pretraining.prior.waveform import draw_phase

PERIOD = (12.0, 240.0)
DETAIL = (0.1, 0.8)
_LEAST_CYCLES = 3  # of the shortest stay
_DIRECTIONS = 2  # in which single cycles differ


def draw_repeats(
    generator: np.random.Generator, path: Path, n_features: int, allowed: frozenset[str]
) -> Process:
    """Return cycles (T, F) of one shape, whose details are those of the state.

    Details have .1 to .8 of the shape's deviation. Each cycle differs from the others of its state
    in up to as much, along two shapes that all states share, and in its amplitude. Periods are 12
    to 240 rows, a third of the shortest stay at most, and in 30 % of the series each state has its
    own, within 20 %; noise is .003 to half of the details.
    """
    n_states = path.n_states
    detail = log_uniform(generator, *DETAIL)
    common = _shape(generator, n_features)
    shapes = np.stack(
        [normalised(common + detail * _shape(generator, n_features)) for _ in range(n_states)]
    )
    longest = max(1.5 * PERIOD[0], min(PERIOD[1], path.shortest_stay / _LEAST_CYCLES))
    periods = np.full(n_states, log_uniform(generator, PERIOD[0], longest))
    if happens(generator, 0.3):
        periods *= np.exp(generator.uniform(-0.2, 0.2, n_states))
    phase = draw_phase(generator, path, 1.0 / periods[path.states])
    values = trace(shapes, path.states, phase)
    values += detail * _chance(generator, n_features, phase)
    values *= _amplitudes(generator, phase)[:, None]
    noise = log_uniform(generator, 0.003, max(0.006, detail / 2.0))
    values += noise * generator.standard_normal(values.shape)
    return values, frozenset({"waveform"})


def _shape(generator: np.random.Generator, n_features: int) -> Values:
    return draw_shape(generator, n_features, "bumps" if happens(generator, 0.5) else None)


def _cycle_of(phase: Values) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the number of the cycle of each phase (T,), from 0."""
    cycle = np.floor(phase).astype(np.int64)
    return cycle - cycle.min()


def _chance(generator: np.random.Generator, n_features: int, phase: Values) -> Values:
    """Return what single cycles differ in (T, F), of deviation 0 to 1."""
    cycle = _cycle_of(phase)
    size = generator.random() / np.sqrt(_DIRECTIONS)
    found = np.zeros((len(phase), n_features))
    for _ in range(_DIRECTIONS):
        along = trace(_shape(generator, n_features)[None], np.zeros_like(cycle), phase)
        found += size * generator.standard_normal(cycle.max() + 1)[cycle, None] * along
    return found


def _amplitudes(generator: np.random.Generator, phase: Values) -> Values:
    cycle = _cycle_of(phase)
    strength = generator.uniform(0.0, 0.2)
    return np.exp(strength * generator.standard_normal(cycle.max() + 1))[cycle]
