"""Regimes put together from the aspects that they differ by."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.aspects import choose_aspects
from regimetry.encoder.pretraining.prior.bursts import draw_bursts
from regimetry.encoder.pretraining.prior.chaos import draw_chaos
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.kinds import aspects_of, draw_kinds
from regimetry.encoder.pretraining.prior.level import draw_levels
from regimetry.encoder.pretraining.prior.noise import draw_random_process
from regimetry.encoder.pretraining.prior.path import Path
from regimetry.encoder.pretraining.prior.volatility import draw_volatilities
from regimetry.encoder.pretraining.prior.waveform import draw_waveform

Process = tuple[Values, frozenset[str]]
"""The values (T, F) of a process and the aspects that its regimes differ by."""


def draw_regimes(
    generator: np.random.Generator, path: Path, n_features: int, allowed: frozenset[str]
) -> Process:
    """Return a process whose regimes differ in one to four aspects; none where none is allowed."""
    chosen = choose_aspects(generator, allowed, n_features, path)
    kinds = draw_kinds(generator, path.n_states, chosen, allowed)
    differ = aspects_of(generator, kinds, chosen, allowed=allowed, n_features=n_features)
    values: Values = np.empty((len(path.states), n_features))
    if "noise" in kinds:
        values[:] = draw_random_process(generator, path, n_features, differ, allowed)
    if "waveform" in kinds:
        cycles = draw_waveform(generator, path, n_features)
        inside = np.array([kind == "waveform" for kind in kinds])[path.states]
        values[inside] = cycles[inside]
    for kind, rows in zip(kinds, path.rows, strict=True):
        if kind == "chaos":
            values[rows] = draw_chaos(generator, len(rows), n_features)
        elif kind == "bursts":
            values[rows] = draw_bursts(generator, len(rows), n_features)
    return scale_and_shift(generator, values, path, differ), differ


def scale_and_shift(
    generator: np.random.Generator, values: Values, path: Path, differ: frozenset[str]
) -> Values:
    """Return a process of mean 0 and variance 1 with the volatility and level of each regime."""
    n_features = values.shape[1]
    if "volatility" in differ:
        values = values * draw_volatilities(generator, path.n_states, n_features)[path.states]
    if "level" in differ:
        values = values + draw_levels(generator, path.n_states, n_features)[path.states]
    return values
