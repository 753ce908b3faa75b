"""The log of a machine: what sensors say while it idles, runs, carries a load or fails."""

from __future__ import annotations

import numpy as np

from regimetry.series.simulators.chains import every_state_has_its_share
from regimetry.series.simulators.processes import autoregression
from regimetry.series.simulators.simulation import Simulation, States, Values

# Idle, running, under load, cavitating.
POWER = np.array([0.4, 5.5, 9.0, 9.0])  # kW
PRESSURE = np.array([1.0, 3.2, 4.8, 4.8])  # bar
STROKE = np.array([1.0, 24.0, 12.0, 12.0])  # rows of one turn; 1: it stands
SHAKE = np.array([0.05, 0.8, 1.4, 1.4])  # mm/s
BURSTS = np.array([0.0, 0.0, 0.0, 0.6])  # share of rows in which bubbles collapse
SHORTEST, LONGEST = 150, 400  # rows of a stay; of a short series less


def pump(n_rows: int, generator: np.random.Generator) -> Simulation:
    """MACHINE: a pump that idles, runs, runs under load, or cavitates under load, a row a second.

    Power and pressure follow their set points within seconds, vibration turns with the shaft, the
    valve is open unless the pump idles. Cavitation leaves power and pressure as they are: bursts of
    vibration tell it from load.
    """
    states = _stays(n_rows, generator)
    noise = generator.standard_normal((n_rows, 3))
    power = _following(POWER[states], 0.7) * (1.0 + 0.01 * noise[:, 0])
    pressure = np.round(_following(PRESSURE[states], 0.8) + 0.03 * noise[:, 1], 1)
    turn = 2.0 * np.pi * np.cumsum(1.0 / STROKE[states])
    bursts = (generator.random(n_rows) < BURSTS[states]) * generator.gamma(2.0, 1.2, n_rows)
    vibration = SHAKE[states] * np.sin(turn) + bursts + 0.15 * noise[:, 2]
    values = np.column_stack([power, pressure, vibration, (states > 0).astype(np.float64)])
    return Simulation(values, states, ("power", "pressure", "vibration", "valve"))


def _following(target: Values, memory: float) -> Values:
    """Return what approaches its target by a share of the way each row."""
    rows = (1.0 - memory) * target[:, None]
    coefficient = np.full(len(target), memory)
    return np.asarray(autoregression(target[:1], coefficient, rows)[:, 0])


def _stays(n_rows: int, generator: np.random.Generator) -> States:
    shrink = min(1.0, n_rows / 10 / SHORTEST)
    shortest, longest = int(shrink * SHORTEST), int(shrink * LONGEST)
    while True:
        stays = [int(generator.integers(4))] * int(generator.integers(shortest, longest + 1))
        while len(stays) < n_rows:
            state = (stays[-1] + int(generator.integers(1, 4))) % 4
            stays += [state] * int(generator.integers(shortest, longest + 1))
        states = np.array(stays[:n_rows], dtype=np.int64)
        if every_state_has_its_share(states, 4):
            return states
