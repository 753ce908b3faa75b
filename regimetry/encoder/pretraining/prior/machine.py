"""Machines: set points, ramps, bursts, turning shafts and loads that are switched."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.bursts import draw_bursts
from regimetry.encoder.pretraining.prior.chance import happens, log_uniform, pick
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.following import follow
from regimetry.encoder.pretraining.prior.path import Path
from regimetry.encoder.pretraining.prior.regimes import Process
from regimetry.encoder.pretraining.prior.waveform import draw_waveform

_SENSORS = {
    "set_point": 0.25,
    "switch": 0.1,
    "ramp": 0.15,
    "bursts": 0.15,
    "turning": 0.2,
    "load": 0.15,
}


def draw_machine(
    generator: np.random.Generator, path: Path, n_features: int, allowed: frozenset[str]
) -> Process:
    """Return sensors (T, F) of a machine whose states are modes of operation.

    The first channel follows set points; each other is a sensor of one of six kinds. ``allowed``
    must hold "level" and "kind"; bursts need "jumps" and "volatility", turning shafts "waveform"
    and "volatility".
    """
    choices = dict(_SENSORS)
    if not {"jumps", "volatility"} <= allowed:
        del choices["bursts"]
    if not {"waveform", "volatility"} <= allowed:
        del choices["turning"]
    sensors = ["set_point"] + [pick(generator, choices) for _ in range(n_features - 1)]
    values = np.stack([_SENSE[sensor](generator, path) for sensor in sensors], axis=1)
    differ = {"level"}
    if len(set(sensors)) > 1:
        differ.add("kind")
    if {"bursts", "turning"} & set(sensors):
        differ.add("volatility")
    if "turning" in sensors:
        differ.add("waveform")
    return values, frozenset(differ)


def _set_points(generator: np.random.Generator, path: Path) -> Values:
    """Return plateaus, one of its own for each state, that a channel approaches."""
    points = np.cumsum(generator.uniform(0.3, 1.5, path.n_states))
    target = generator.permutation(points)[path.states]
    values = follow(target, generator.uniform(0.0, 0.97))
    return values + _little_noise(generator, len(values))


def _switch(generator: np.random.Generator, path: Path) -> Values:
    """Return a valve: open in some states, shut in the others."""
    is_open = np.zeros(path.n_states)
    is_open[: generator.integers(1, path.n_states)] = 1.0
    values = follow(generator.permutation(is_open)[path.states], generator.uniform(0.0, 0.8))
    return values + _little_noise(generator, len(values))


def _ramps(generator: np.random.Generator, path: Path) -> Values:
    """Return what rises, falls or rests at a rate of the state, and is drawn back slowly."""
    rates = generator.choice([-1.0, 0.0, 1.0], path.n_states) * generator.uniform(
        0.5, 1.5, path.n_states
    )
    memory = generator.uniform(0.97, 0.995)
    values = follow(rates[path.states], memory)
    return values + _little_noise(generator, len(values))


def _bursts(generator: np.random.Generator, path: Path) -> Values:
    """Return bursts in some of the states, a hum of .02 to .3 in the others."""
    values = draw_bursts(generator, len(path.states), 1)[:, 0]
    loud = generator.random(path.n_states) < 0.5
    loud[generator.integers(path.n_states)] = True
    quiet = log_uniform(generator, 0.02, 0.3) * generator.standard_normal(len(values))
    return np.where(loud[path.states], values, quiet)


def _turning(generator: np.random.Generator, path: Path) -> Values:
    """Return the vibration of a shaft; it rests in at most one state."""
    amplitude = np.exp(generator.normal(0.0, 0.5, path.n_states))
    if happens(generator, 0.5):
        amplitude[generator.integers(path.n_states)] = log_uniform(generator, 0.01, 0.1)
    return draw_waveform(generator, path, 1)[:, 0] * amplitude[path.states]


def _load(generator: np.random.Generator, path: Path) -> Values:
    """Return a load that is switched on for a share of the time, which is of the state."""
    n_rows = len(path.states)
    length = log_uniform(generator, 4.0, 60.0)
    n = int(3 * n_rows / length) + 10
    cuts = np.cumsum(generator.gamma(3.0, length / 3.0, n).astype(np.int64) + 1)
    piece = np.searchsorted(cuts, np.arange(n_rows), side="right")
    duty = generator.random(path.n_states)
    on = generator.random(n + 1)[piece] < duty[path.states]
    values = follow(on.astype(np.float64), generator.uniform(0.0, 0.8))
    return values + _little_noise(generator, n_rows)


_SENSE = {
    "set_point": _set_points,
    "switch": _switch,
    "ramp": _ramps,
    "bursts": _bursts,
    "turning": _turning,
    "load": _load,
}


def _little_noise(generator: np.random.Generator, n_rows: int) -> Values:
    return log_uniform(generator, 0.005, 0.1) * generator.standard_normal(n_rows)
