"""Signals whose states have one mean and one variance, and differ in time or between channels."""

from __future__ import annotations

import numpy as np

from regimetry.series.simulators.chains import every_state_has_its_share, markov_states
from regimetry.series.simulators.processes import autoregression, correlated_noise
from regimetry.series.simulators.simulation import Simulation, States

DYNAMICS_STAY = (0.99, 0.99, 0.99)
DYNAMICS_COEFFICIENT = np.array([0.6, 0.0, -0.6])

CORRELATION_STAY = (0.99, 0.99, 0.99)
CORRELATION = 0.6
CORRELATION_SIGNS = np.array([1.0, -1.0, 1.0, -1.0])


def dynamics(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S3: three independent AR(1) channels; states differ in the coefficient alone."""
    states = markov_states(n_rows, DYNAMICS_STAY, generator)
    coefficient = DYNAMICS_COEFFICIENT[states]
    shocks = generator.standard_normal((n_rows, 3)) * np.sqrt(1.0 - coefficient**2)[:, None]
    values = autoregression(generator.standard_normal(3), coefficient, shocks)
    return Simulation(values, states, ("channel_0", "channel_1", "channel_2"))


def correlation(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S4: four standard normal channels; states differ in their correlation alone."""
    states = markov_states(n_rows, CORRELATION_STAY, generator)
    independent = generator.standard_normal((n_rows, 4))
    common = correlated_noise(n_rows, 4, CORRELATION, generator)
    values = np.choose(states[:, None], [independent, common, common * CORRELATION_SIGNS])
    return Simulation(values, states, tuple(f"channel_{i}" for i in range(4)))


def shapes(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S5: sine of period 24, sine of 8, triangle of 14 and noise, for 60 to 139 bars each."""
    states = _long_stays(n_rows, generator)
    time = np.arange(n_rows)[:, None] + generator.uniform(0, 24, 3)
    triangle = 2.0 * np.abs(2.0 * ((time / 14.0) % 1.0) - 1.0) - 1.0
    pattern = np.choose(
        states[:, None],
        [
            np.sqrt(2.0) * np.sin(2 * np.pi * time / 24.0),
            np.sqrt(2.0) * np.sin(2 * np.pi * time / 8.0),
            np.sqrt(3.0) * triangle,
            generator.standard_normal((n_rows, 3)),
        ],
    )
    values = pattern + 0.4 * generator.standard_normal((n_rows, 3))
    return Simulation(values, states, ("channel_0", "channel_1", "channel_2"))


def _long_stays(n_rows: int, generator: np.random.Generator) -> States:
    while True:
        states = np.empty(0, dtype=np.int64)
        state = int(generator.integers(4))
        while len(states) < n_rows:
            states = np.concatenate([states, np.full(generator.integers(60, 140), state)])
            state = (state + int(generator.integers(1, 4))) % 4
        states = states[:n_rows]
        if every_state_has_its_share(states, 4):
            return states
