"""Draw a series of the prior."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from regimetry.encoder.pretraining.prior.aspects import ASPECTS, allowed_aspects
from regimetry.encoder.pretraining.prior.body import draw_body
from regimetry.encoder.pretraining.prior.chance import happens, pick
from regimetry.encoder.pretraining.prior.cycles import draw_cycles
from regimetry.encoder.pretraining.prior.drawn import Drawn, Values
from regimetry.encoder.pretraining.prior.machine import draw_machine
from regimetry.encoder.pretraining.prior.observation import observe
from regimetry.encoder.pretraining.prior.one_regime import draw_one_regime
from regimetry.encoder.pretraining.prior.path import Path, draw_long_path, draw_path, one_state
from regimetry.encoder.pretraining.prior.regimes import draw_regimes
from regimetry.encoder.pretraining.prior.repeats import draw_repeats
from regimetry.encoder.pretraining.prior.width import draw_widths
from regimetry.errors import ConfigError

FEWEST_ROWS = 256
LARGEST = 6.0  # standard deviations

REPEATS = 0.2
"""Share of the series whose states differ in details of a cycle alone."""

_FAMILIES = {"regimes": 0.65, "cycles": 0.1, "body": 0.1, "machine": 0.07, "one": 0.08}
_NEEDS = {
    "cycles": {"waveform"},
    "body": {"waveform"},
    "repeats": {"waveform"},
    "machine": {"level", "kind"},
}
_MAKE = {
    "regimes": draw_regimes,
    "cycles": draw_cycles,
    "body": draw_body,
    "repeats": draw_repeats,
    "machine": draw_machine,
}
_LONG_STAYS = {"cycles": 1.0, "body": 0.5, "repeats": 0.6}  # share of the draws; else none
_NOISY = {"cycles": 0.1, "body": 0.1, "repeats": 0.1}
_ELSE_NOISY = 0.35
_FINER = {1: 0.76, 2: 0.12, 3: 0.07, 5: 0.05}


def draw_series(
    generator: np.random.Generator,
    n_rows: int = 2048,
    *,
    most_features: int = 24,
    without: Collection[str] = (),
    repeats: float = REPEATS,
) -> Drawn:
    """Draw a series with known states.

    Parameters
    ----------
    generator : numpy.random.Generator
        The same state of it gives the same series.
    n_rows : int
        T, at least 256.
    most_features : int
        F is at most this, at least 1.
    without : collection of str
        Aspects that occur nowhere in the series, in no regime and in no channel.
    repeats : float
        Share of the series whose states differ in details of a cycle, 0 to 1.

    Returns
    -------
    Drawn

    Raises
    ------
    ConfigError
        Too few rows or channels, a share outside 0 to 1, or ``without`` names an unknown aspect.
    """
    if n_rows < FEWEST_ROWS:
        raise ConfigError(f"n_rows is {n_rows}; it must be at least {FEWEST_ROWS}.")
    if most_features < 1:
        raise ConfigError(f"most_features is {most_features}; it must be at least 1.")
    if not 0 <= repeats <= 1:
        raise ConfigError(f"repeats is {repeats}; it must be 0 to 1.")
    allowed = allowed_aspects(without)
    families = _families(repeats, allowed)
    while True:  # a channel may be constant, though hardly ever
        values, path, differ = _draw(generator, n_rows, most_features, allowed, families)
        rows = _standardised(values)
        if rows is not None:
            aspects = tuple(name for name in ASPECTS if name in differ)
            return Drawn(rows, path.states, path.n_states, aspects)


def _families(repeats: float, allowed: frozenset[str]) -> dict[str, float]:
    """Return the kinds of series that are allowed, with weights."""
    weights = {"repeats": repeats} | {
        family: weight * (1.0 - repeats) for family, weight in _FAMILIES.items()
    }
    return {
        family: weight for family, weight in weights.items() if _NEEDS.get(family, set()) <= allowed
    }


def _draw(
    generator: np.random.Generator,
    n_rows: int,
    most_features: int,
    allowed: frozenset[str],
    families: Mapping[str, float],
) -> tuple[Values, Path, frozenset[str]]:
    family = pick(generator, families)
    n_core, n_all = draw_widths(generator, most_features)
    finer = pick(generator, _FINER) if family != "cycles" else 1
    if family == "one":
        path, differ = one_state(n_rows), frozenset[str]()
        values = draw_one_regime(generator, n_rows * finer, n_core, allowed)
    else:
        long_stays = happens(generator, _LONG_STAYS.get(family, 0.0))
        path = (draw_long_path if long_stays else draw_path)(generator, n_rows)
        values, differ = _MAKE[family](generator, path.repeated(finer), n_core, allowed)
        if not differ:  # no allowed aspect suits so few channels
            path = one_state(n_rows)
    values = _sampled(generator, values, finer)
    noisy = _NOISY.get(family, _ELSE_NOISY)
    return observe(generator, values, n_all, allowed, noisy=noisy), path, differ


def _sampled(generator: np.random.Generator, values: Values, finer: int) -> Values:
    """Return the mean of every so many rows, or the first of them."""
    if finer == 1:
        return values
    if happens(generator, 0.5):
        return values[::finer]
    return values.reshape(-1, finer, values.shape[1]).mean(axis=1)


def _standardised(values: Values) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]] | None:
    """Return rows of mean 0 and deviation 1, clipped; None if a channel is constant or infinite."""
    values = values - values.mean(axis=0)
    deviation = values.std(axis=0)
    if not (np.isfinite(deviation).all() and (deviation > 1e-6).all()):
        return None
    return np.clip(values / deviation, -LARGEST, LARGEST).astype(np.float32)
