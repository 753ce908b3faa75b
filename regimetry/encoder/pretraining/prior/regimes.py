"""Regimes put together from the aspects that they differ by."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.aspects import choose_aspects
from regimetry.encoder.pretraining.prior.bursts import draw_bursts
from regimetry.encoder.pretraining.prior.chance import happens, pick
from regimetry.encoder.pretraining.prior.chaos import draw_chaos
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.level import draw_levels
from regimetry.encoder.pretraining.prior.noise import draw_random_process
from regimetry.encoder.pretraining.prior.path import Path
from regimetry.encoder.pretraining.prior.volatility import draw_volatilities
from regimetry.encoder.pretraining.prior.waveform import draw_waveform

Process = tuple[Values, frozenset[str]]
"""The values (T, F) of a process and the aspects that its regimes differ by."""

_KINDS = {"noise": 0.4, "waveform": 0.35, "chaos": 0.1, "bursts": 0.15}
NOISE_AMONG_WAVEFORMS = 0.12


def draw_regimes(
    generator: np.random.Generator, path: Path, n_features: int, allowed: frozenset[str]
) -> Process:
    """Return a process whose regimes differ in one to four aspects; none where none is allowed."""
    differ = choose_aspects(generator, allowed, n_features)
    kinds = _draw_kinds(generator, path.n_states, differ, allowed)
    if len(set(kinds)) > 1:
        differ |= {"kind"}
    values = _of_kinds(generator, path, n_features, kinds=kinds, differ=differ, allowed=allowed)
    if "noise" not in kinds:
        differ -= {"correlation", "dynamics", "tails", "jumps", "garch"}
    if "waveform" not in kinds:
        differ -= {"waveform"}
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


def allowed_kinds(allowed: frozenset[str]) -> dict[str, float]:
    """Return the kinds of process, with weights, that a series may hold."""
    kinds = dict(_KINDS)
    if "waveform" not in allowed:
        del kinds["waveform"]
    if "kind" not in allowed:
        del kinds["chaos"]
    if not {"kind", "jumps"} <= allowed:  # a burst is a jump that fades
        del kinds["bursts"]
    return kinds


def _draw_kinds(
    generator: np.random.Generator, n_states: int, differ: frozenset[str], allowed: frozenset[str]
) -> list[str]:
    """Return the kind of each state: of two or more kinds if states differ by it."""
    plain = "waveform" if "waveform" in differ else "noise"
    kinds = [plain] * n_states
    choices = allowed_kinds(allowed)
    if "kind" in differ and len(choices) > 1:
        kinds = [pick(generator, choices) for _ in kinds]
        if len(set(kinds)) == 1:
            del choices[kinds[0]]
            kinds[int(generator.integers(n_states))] = pick(generator, choices)
    elif plain == "waveform" and "kind" in allowed:
        kinds = ["noise" if happens(generator, NOISE_AMONG_WAVEFORMS) else k for k in kinds]
        if "waveform" not in kinds:
            kinds[int(generator.integers(n_states))] = "waveform"
    return kinds


def _of_kinds(
    generator: np.random.Generator,
    path: Path,
    n_features: int,
    *,
    kinds: list[str],
    differ: frozenset[str],
    allowed: frozenset[str],
) -> Values:
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
    return values
