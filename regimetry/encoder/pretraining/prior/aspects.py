"""By what regimes may differ, and which of it a series may use."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from regimetry.encoder.pretraining.prior.chance import pick, pick_several
from regimetry.encoder.pretraining.prior.path import Path
from regimetry.errors import ConfigError

ASPECTS = (
    "level",
    "volatility",
    "correlation",
    "dynamics",
    "tails",
    "jumps",
    "garch",
    "waveform",
    "kind",
)
"""The names of the aspects, which ``without`` of :func:`draw_series` takes."""

_WEIGHTS = dict(zip(ASPECTS, (0.12, 0.2, 0.13, 0.2, 0.08, 0.05, 0.1, 0.2, 0.1), strict=True))
_SLOW_TO_SHOW = {"tails", "jumps", "garch"}
FEW_STATES = 3
LONG_MEAN_STAY = 80.0  # rows
_HOW_MANY = {1: 0.5, 2: 0.27, 3: 0.15, 4: 0.08}


def allowed_aspects(without: Collection[str]) -> frozenset[str]:
    """Return the aspects that are not left out.

    Raises
    ------
    ConfigError
        ``without`` names something unknown.
    """
    left_out = [without] if isinstance(without, str) else list(without)
    unknown = sorted(set(left_out) - set(ASPECTS))
    if unknown:
        raise ConfigError(
            f"without has {', '.join(map(repr, unknown))}; its names must be among "
            f"{', '.join(ASPECTS)}."
        )
    return frozenset(ASPECTS) - frozenset(left_out)


def choose_aspects(
    generator: np.random.Generator, allowed: frozenset[str], n_features: int, path: Path
) -> frozenset[str]:
    """Return one to four allowed aspects; none if no allowed aspect suits the channels.

    Aspects that take many rows to show come more often where stays are long and states few.
    """
    stays_are_long = path.n_states <= FEW_STATES and path.mean_stay >= LONG_MEAN_STAY
    patience = 1.8 if stays_are_long else 0.4
    weights = {
        name: weight * (patience if name in _SLOW_TO_SHOW else 1.0)
        for name, weight in _WEIGHTS.items()
        if name in allowed and (name != "correlation" or n_features > 1)
    }
    return frozenset(pick_several(generator, weights, pick(generator, _HOW_MANY)))
