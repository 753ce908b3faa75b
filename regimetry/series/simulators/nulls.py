"""Series of one regime, and channels that have nothing to do with the regimes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from regimetry.series.simulators.processes import autoregression, correlated_noise, garch
from regimetry.series.simulators.simulation import Simulation, Values

Simulator = Callable[[int, np.random.Generator], Simulation]

NUISANCE_COEFFICIENT = 0.999


def with_nuisance(simulator: Simulator) -> Simulator:
    """Return the simulator with one more channel, an independent AR(1) of coefficient .999."""

    def simulator_with_nuisance(n_rows: int, generator: np.random.Generator) -> Simulation:
        clean = simulator(n_rows, generator)
        shocks = generator.standard_normal(n_rows) * np.sqrt(1 - NUISANCE_COEFFICIENT**2)
        start = generator.standard_normal(1)
        channel = autoregression(start, np.full(n_rows, NUISANCE_COEFFICIENT), shocks[:, None])
        values = np.column_stack([clean.values, channel])
        return Simulation(values, clean.states, (*clean.names, "nuisance"))

    return simulator_with_nuisance


def _one_regime(values: Values) -> Simulation:
    names = tuple(f"channel_{i}" for i in range(values.shape[1]))
    return Simulation(values, np.zeros(len(values), dtype=np.int64), names)


def independent_noise(n_rows: int, generator: np.random.Generator) -> Simulation:
    """Three channels of standard normal noise: one regime."""
    return _one_regime(generator.standard_normal((n_rows, 3)))


def stationary_autoregression(coefficient: float) -> Simulator:
    """Return the simulator of three independent AR(1) channels of unit variance: one regime."""

    def simulator(n_rows: int, generator: np.random.Generator) -> Simulation:
        shocks = generator.standard_normal((n_rows, 3)) * np.sqrt(1 - coefficient**2)
        start = generator.standard_normal(3)
        return _one_regime(autoregression(start, np.full(n_rows, coefficient), shocks))

    return simulator


def garch_alone(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S6's GARCH(1, 1) without its jumps: volatility clusters, yet there is one regime."""
    return _one_regime(garch(correlated_noise(n_rows, 3, 0.3, generator), 0.01**2, 0.10, 0.85))
