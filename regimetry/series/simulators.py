"""Seeded multivariate series whose true states are known, to judge labels against.

Each simulator states its own dynamics; jumps go to the other states with equal probability. Rates
are per bar, returns and volatilities are fractions, not percent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError

Values = NDArray[np.float64]
States = NDArray[np.int64]

_WARM_UP = 14  # rows that trailing features of S1 need before the first bar that is returned


@dataclass(frozen=True)
class Simulation:
    """A simulated series.

    Attributes
    ----------
    values : ndarray of float64, shape (T, F)
    states : ndarray of int64, shape (T,)
        The state that made each bar, 0 to K - 1.
    names : tuple of str
        Column names, length F.
    """

    values: Values
    states: States
    names: tuple[str, ...]


def _every_state_has_its_share(states: States, n_states: int) -> bool:
    """Return whether each state holds 5 % of the first 60 % of bars, and of the last 40 %."""
    cut = int(0.6 * len(states))
    return all(
        np.bincount(part, minlength=n_states).min() / len(part) >= 0.05
        for part in (states[:cut], states[cut:])
    )


def markov_states(n_rows: int, stay: list[float], generator: np.random.Generator) -> States:
    """Draw a Markov chain in which every state has its share of bars.

    Redrawn until every state holds at least 5 % of the bars in the first 60 % and in the last
    40 %, so that a fit on the one and a test on the other see all states.

    Parameters
    ----------
    n_rows : int
        T.
    stay : list of float
        Probability of staying in each state; the rest is shared by the other states.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (T,)
    """
    n_states = len(stay)
    while True:
        states = np.empty(n_rows, dtype=np.int64)
        states[0] = generator.integers(n_states)
        stays = generator.random(n_rows)
        others = generator.integers(1, n_states, n_rows)
        for row in range(1, n_rows):
            state = states[row - 1]
            moves = stays[row] >= stay[state]
            states[row] = (state + others[row]) % n_states if moves else state
        if _every_state_has_its_share(states, n_states):
            return states


def _correlated(n_rows: int, n: int, correlation: float, generator: np.random.Generator) -> Values:
    matrix = np.full((n, n), correlation)
    np.fill_diagonal(matrix, 1.0)
    return generator.standard_normal((n_rows, n)) @ np.linalg.cholesky(matrix).T


def _trailing(values: Values, size: int, statistic: Callable[..., Values]) -> Values:
    windows = np.lib.stride_tricks.sliding_window_view(values, size)
    return np.concatenate([np.full(size - 1, np.nan), statistic(windows, axis=1)])


def bull_bear(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S1: two states of daily mean and volatility; return and its trailing statistics."""
    states = markov_states(n_rows, [0.995, 0.985], generator)
    states = np.concatenate([np.full(_WARM_UP, states[0]), states])
    mean, deviation = np.array([0.000615, -0.000785]), np.array([0.007759, 0.01740])
    returns = mean[states] + deviation[states] * generator.standard_normal(len(states))
    values = np.stack(
        [
            returns,
            _trailing(returns, 6, np.std),
            _trailing(returns, 14, np.std),
            _trailing(returns, 14, np.mean),
        ],
        axis=1,
    )
    names = ("return", "deviation_6", "deviation_14", "mean_14")
    return Simulation(values[_WARM_UP:], states[_WARM_UP:], names)


def volatility(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S2: three correlated assets, three states of volatility and drift."""
    states = markov_states(n_rows, [0.99] * 3, generator)
    mean, deviation = np.array([0.0006, 0.0, -0.001]), np.array([0.006, 0.012, 0.025])
    noise = _correlated(n_rows, 3, 0.3, generator)
    values = mean[states, None] + deviation[states, None] * noise
    return Simulation(values, states, ("asset_0", "asset_1", "asset_2"))


def dynamics(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S3: three independent AR(1) channels; states differ in the coefficient alone."""
    states = markov_states(n_rows, [0.99] * 3, generator)
    coefficient = np.array([0.6, 0.0, -0.6])[states]
    noise = generator.standard_normal((n_rows, 3)) * np.sqrt(1.0 - coefficient**2)[:, None]
    values = np.empty((n_rows, 3))
    values[0] = generator.standard_normal(3)
    for row in range(1, n_rows):
        values[row] = coefficient[row] * values[row - 1] + noise[row]
    return Simulation(values, states, ("channel_0", "channel_1", "channel_2"))


def correlation(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S4: four standard normal channels; states differ in their correlation alone."""
    states = markov_states(n_rows, [0.99] * 3, generator)
    independent = generator.standard_normal((n_rows, 4))
    common = _correlated(n_rows, 4, 0.6, generator)
    flipped = common * np.array([1.0, -1.0, 1.0, -1.0])
    values = np.choose(states[:, None], [independent, common, flipped])
    return Simulation(values, states, tuple(f"channel_{i}" for i in range(4)))


def shapes(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S5: sine of period 24, sine of 8, triangle of 14 and noise, for 60 to 139 bars each."""
    while True:
        states = np.empty(0, dtype=np.int64)
        state = int(generator.integers(4))
        while len(states) < n_rows:
            states = np.concatenate([states, np.full(generator.integers(60, 140), state)])
            state = (state + int(generator.integers(1, 4))) % 4
        states = states[:n_rows]
        if _every_state_has_its_share(states, 4):
            break
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


def garch_or_jumps(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S6: GARCH(1, 1) against a jump diffusion of the same variance; three assets.

    Bollerslev 1986 with coefficients .10 and .85; Merton 1976 with common jump times.
    """
    states = markov_states(n_rows, [0.99] * 2, generator)
    variance, arch, garch = 0.01**2, 0.10, 0.85
    rate, jump_mean, jump_deviation = 0.06, -0.01, 0.025
    noise = _correlated(n_rows, 3, 0.3, generator)
    jumps = (generator.random(n_rows) < rate)[:, None] * generator.normal(
        jump_mean, jump_deviation, (n_rows, 3)
    )
    jump_variance = rate * (jump_mean**2 + jump_deviation**2) - (rate * jump_mean) ** 2
    diffusion = np.sqrt(variance - jump_variance)
    values = np.empty((n_rows, 3))
    conditional = np.full(3, variance)
    shock = np.zeros(3)
    for row in range(n_rows):
        conditional = variance * (1 - arch - garch) + arch * shock**2 + garch * conditional
        shock = np.sqrt(conditional) * noise[row]
        values[row] = shock
    jump_rows = states == 1
    values[jump_rows] = diffusion * noise[jump_rows] + jumps[jump_rows] - rate * jump_mean
    return Simulation(values, states, ("asset_0", "asset_1", "asset_2"))


def _with_nuisance(
    simulator: Callable[[int, np.random.Generator], Simulation],
) -> Callable[[int, np.random.Generator], Simulation]:
    def simulator_with_nuisance(n_rows: int, generator: np.random.Generator) -> Simulation:
        clean = simulator(n_rows, generator)
        shocks = generator.standard_normal(n_rows) * np.sqrt(1 - 0.999**2)
        channel = np.empty(n_rows)
        channel[0] = generator.standard_normal()
        for row in range(1, n_rows):
            channel[row] = 0.999 * channel[row - 1] + shocks[row]
        values = np.column_stack([clean.values, channel])
        return Simulation(values, clean.states, (*clean.names, "nuisance"))

    return simulator_with_nuisance


SIMULATORS: dict[str, tuple[Callable[[int, np.random.Generator], Simulation], int]] = {
    "s1": (bull_bear, 3000),
    "s2": (volatility, 2500),
    "s3": (dynamics, 2500),
    "s4": (correlation, 2500),
    "s5": (shapes, 2500),
    "s6": (garch_or_jumps, 2500),
    "n1": (_with_nuisance(volatility), 2500),
    "n2": (_with_nuisance(dynamics), 2500),
}
"""Name -> simulator and its standard number of rows. N1 and N2 are S2 and S3 with one more
channel, an independent AR(1) of coefficient .999."""


def simulate(kind: str = "s2", *, n_rows: int | None = None, seed: int = 0) -> Simulation:
    """Simulate a series with known states.

    Parameters
    ----------
    kind : str
        A key of :data:`SIMULATORS`.
    n_rows : int or None
        T; ``None`` takes the simulator's standard length. At least 400, so that every state fits.
    seed : int
        The same seed gives the same series.

    Returns
    -------
    Simulation

    Raises
    ------
    ConfigError
        An unknown kind or too few rows.
    """
    if kind not in SIMULATORS:
        raise ConfigError(f"kind is {kind!r}; it must be one of {', '.join(SIMULATORS)}.")
    simulator, standard_rows = SIMULATORS[kind]
    rows = standard_rows if n_rows is None else n_rows
    if rows < 400:
        raise ConfigError(f"n_rows is {rows}; it must be at least 400.")
    return simulator(rows, np.random.default_rng(seed))
