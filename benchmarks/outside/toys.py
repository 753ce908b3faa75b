"""Series that any detector of regimes must get right, and some in which there are none."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks.rivals.fitted import Labels, Values

Made = tuple[Values, Labels]
Generator = np.random.Generator

_LEVELS = (1, 2, 3, 5, 10, 12, 20, 40)


def _two_levels(apart: float) -> Callable[[Generator], Made]:
    def made(generator: Generator) -> Made:
        states = _turns(14, 2, 100)
        return apart * states + generator.standard_normal(len(states)), states

    return made


def _power(generator: Generator) -> Made:
    states = _turns(14, 2, 100)
    return 60 + 1740 * states + 20 * generator.standard_normal(len(states)), states


def _set_points(generator: Generator) -> Made:
    states = np.repeat(generator.permutation(np.arange(15) % 3), 100)
    noise = 0.5 * generator.standard_normal(len(states))
    return np.array([10.0, 14.0, 20.0])[states] + noise, states


def _quiet_levels(generator: Generator) -> Made:
    states = _turns(4, 2, 175)
    return states + 0.02 * generator.standard_normal(len(states)), states


def _sines(generator: Generator) -> Made:
    return _cycles(generator, 20, 50, np.sin)


def _squares(generator: Generator) -> Made:
    return _cycles(generator, 16, 40, lambda phase: np.sign(np.sin(phase)))


def _cycles(generator: Generator, short: int, long: int, shape: Callable) -> Made:
    states = _turns(6, 2, 300)
    phase = np.cumsum(2 * np.pi / np.where(states == 0, short, long))
    return shape(phase) + 0.1 * generator.standard_normal(len(states)), states


def _deviation(generator: Generator) -> Made:
    states = _turns(10, 2, 300)
    return generator.standard_normal(len(states)) * np.where(states, 3, 1), states


def _turns(stays: int, n_states: int, rows: int) -> Labels:
    return np.repeat(np.arange(stays) % n_states, rows)


def _trend(generator: Generator) -> Made:
    return _one(np.linspace(0, 3, 2000) + generator.standard_normal(2000))


def _sine(generator: Generator) -> Made:
    rows = np.arange(2000)
    return _one(np.sin(2 * np.pi * rows / 30) + 0.2 * generator.standard_normal(2000))


def _square(generator: Generator) -> Made:
    wave = np.sign(np.sin(2 * np.pi * np.arange(2000) / 50 + 0.1))
    return _one(wave + 0.1 * generator.standard_normal(2000))


def _walk(generator: Generator) -> Made:
    return _one(np.cumsum(generator.standard_normal((2500, 2)), axis=0))


def _slow_cycle(generator: Generator) -> Made:
    rows = np.arange(3000)
    return _one(np.sin(2 * np.pi * rows / 1000) + 0.1 * generator.standard_normal(3000))


def _one(values: Values) -> Made:
    return values, np.zeros(len(values), dtype=np.int64)


TOYS: dict[str, Callable[[Generator], Made]] = {
    **{f"levels {apart} deviations apart": _two_levels(apart) for apart in _LEVELS},
    "machine power": _power,
    "three set points": _set_points,
    "quiet levels": _quiet_levels,
    "sines": _sines,
    "square waves": _squares,
    "deviation": _deviation,
}

WITHOUT_REGIMES: dict[str, Callable[[Generator], Made]] = {
    "trend": _trend,
    "sine": _sine,
    "square wave": _square,
    "random walk": _walk,
    "one slow cycle": _slow_cycle,
}
