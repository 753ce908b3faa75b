"""Returns whose states differ in volatility, drift or the way that large moves come.

The constants are what a filter that knows the truth needs.
"""

from __future__ import annotations

import numpy as np

from regimetry.series.simulators.chains import markov_states, stationary_chain
from regimetry.series.simulators.processes import correlated_noise, garch, trailing
from regimetry.series.simulators.simulation import Simulation, States, Values

_WARM_UP = 14  # bars that trailing features need before the first that is returned

BULL_BEAR_STAY = (0.995, 0.985)
BULL_BEAR_MEAN = np.array([0.000615, -0.000785])
BULL_BEAR_DEVIATION = np.array([0.007759, 0.01740])

THREE_STATE_TRANSITION = np.array(
    [
        [0.99803, 0.00095, 0.00103],
        [0.00316, 0.99318, 0.00366],
        [0.00580, 0.00621, 0.98799],
    ]
)
THREE_STATE_TRANSITION /= THREE_STATE_TRANSITION.sum(axis=1, keepdims=True)  # as printed, rounded
THREE_STATE_MEAN = np.array([0.000615, 0.0, -0.000785])
THREE_STATE_DEVIATION = np.array([0.00776, 0.01118, 0.01740])

VOLATILITY_STAY = (0.99, 0.99, 0.99)
VOLATILITY_MEAN = np.array([0.0006, 0.0, -0.001])
VOLATILITY_DEVIATION = np.array([0.006, 0.012, 0.025])
ASSET_CORRELATION = 0.3


def _daily_market(
    states: States, mean: Values, deviation: Values, generator: np.random.Generator
) -> Simulation:
    """Return one return and its trailing statistics: no bar is lost to them."""
    states = np.concatenate([np.full(_WARM_UP, states[0]), states])
    returns = mean[states] + deviation[states] * generator.standard_normal(len(states))
    values = np.stack(
        [
            returns,
            trailing(returns, 6, np.std),
            trailing(returns, 14, np.std),
            trailing(returns, 14, np.mean),
        ],
        axis=1,
    )
    names = ("return", "deviation_6", "deviation_14", "mean_14")
    return Simulation(values[_WARM_UP:], states[_WARM_UP:], names)


def bull_bear(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S1: two states of daily mean and volatility; return and its trailing statistics."""
    states = markov_states(n_rows, BULL_BEAR_STAY, generator)
    return _daily_market(states, BULL_BEAR_MEAN, BULL_BEAR_DEVIATION, generator)


def three_state_market(n_rows: int, generator: np.random.Generator) -> Simulation:
    """H3: the daily market of Aydinhan et al. 2024; every state occurs, however rarely."""
    states = stationary_chain(n_rows, THREE_STATE_TRANSITION, generator)
    return _daily_market(states, THREE_STATE_MEAN, THREE_STATE_DEVIATION, generator)


def volatility(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S2: three correlated assets, three states of volatility and drift."""
    states = markov_states(n_rows, VOLATILITY_STAY, generator)
    noise = correlated_noise(n_rows, 3, ASSET_CORRELATION, generator)
    values = VOLATILITY_MEAN[states, None] + VOLATILITY_DEVIATION[states, None] * noise
    return Simulation(values, states, ("asset_0", "asset_1", "asset_2"))


def garch_or_jumps(n_rows: int, generator: np.random.Generator) -> Simulation:
    """S6: GARCH(1, 1) against a jump diffusion of the same variance; three assets.

    Bollerslev 1986 with coefficients .10 and .85; Merton 1976 with common jump times.
    """
    states = markov_states(n_rows, (0.99, 0.99), generator)
    variance = 0.01**2
    rate, jump_mean, jump_deviation = 0.06, -0.01, 0.025
    noise = correlated_noise(n_rows, 3, ASSET_CORRELATION, generator)
    jumps = (generator.random(n_rows) < rate)[:, None] * generator.normal(
        jump_mean, jump_deviation, (n_rows, 3)
    )
    jump_variance = rate * (jump_mean**2 + jump_deviation**2) - (rate * jump_mean) ** 2
    diffusion = np.sqrt(variance - jump_variance)
    values = garch(noise, variance, 0.10, 0.85)
    jump_rows = states == 1
    values[jump_rows] = diffusion * noise[jump_rows] + jumps[jump_rows] - rate * jump_mean
    return Simulation(values, states, ("asset_0", "asset_1", "asset_2"))
