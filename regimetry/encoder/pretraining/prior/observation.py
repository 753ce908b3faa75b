"""What is seen of a process: mixtures, indicators, channels of no use, and sensors' faults."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform
from regimetry.encoder.pretraining.prior.drawn import Values
from regimetry.encoder.pretraining.prior.indicators import draw_indicators, draw_market_features
from regimetry.encoder.pretraining.prior.nuisance import draw_nuisance
from regimetry.encoder.pretraining.prior.sensors import add_outliers, curve, mix, spoil
from regimetry.encoder.pretraining.prior.width import NARROWEST_WIDE

_MIXED, _CURVED, _OUTLIERS = 0.2, 0.08, 0.1
_INDICATORS, _MARKET, _NUISANCE = 0.3, 0.08, 0.25


def observe(
    generator: np.random.Generator,
    values: Values,
    n_all: int,
    allowed: frozenset[str],
    *,
    noisy: float,
) -> Values:
    """Return the channels (T, F) of a series made from a process (T, n); F is at most n_all.

    A wide series (9 channels and more) is filled up with mixtures and indicators. A share ``noisy``
    of the draws gets noise, .03 to .5 of a channel's deviation.
    """
    if values.shape[1] > 1 and "correlation" in allowed and happens(generator, _MIXED):
        values = mix(generator, values, values.shape[1])
    values = centred(values)
    if happens(generator, noisy):
        noise = log_uniform(generator, 0.03, 0.5)
        values = values + noise * generator.standard_normal(values.shape)
    if "tails" in allowed and happens(generator, _CURVED):
        values = centred(curve(generator, values))
    values = np.concatenate([values, *_more_channels(generator, values, n_all, allowed)], axis=1)
    if {"tails", "jumps"} <= allowed and happens(generator, _OUTLIERS):
        values = add_outliers(generator, values)
    return spoil(generator, values)


def centred(values: Values) -> Values:
    """Return values (T, F) of mean 0 and standard deviation 1; a constant channel becomes 0."""
    values = values - values.mean(axis=0)
    deviation = np.sqrt(np.einsum("tf,tf->f", values, values) / len(values))
    return values / np.where(deviation > 1e-9, deviation, np.inf)


def _more_channels(
    generator: np.random.Generator, values: Values, n_all: int, allowed: frozenset[str]
) -> list[Values]:
    room = n_all - values.shape[1]
    wide = n_all >= NARROWEST_WIDE
    more: list[Values] = []
    if room >= 3 and happens(generator, _MARKET):
        more.append(draw_market_features(generator, values))
        room -= 3
    if room and happens(generator, _NUISANCE):
        n = int(generator.integers(1, min(room, 2) + 1))
        more.append(draw_nuisance(generator, len(values), n, allowed))
        room -= n
    if room and (wide or happens(generator, _INDICATORS)):
        n = int(generator.integers(0 if wide else 1, min(room, 12 if wide else 4) + 1))
        more.append(draw_indicators(generator, values, n))
        room -= n
    if room and wide:
        mixture = mix(generator, values, room) if "correlation" in allowed else None
        if mixture is None:
            more.append(draw_nuisance(generator, len(values), room, allowed))
        else:
            noise = log_uniform(generator, 0.05, 1.0) * generator.standard_normal(mixture.shape)
            more.append(centred(mixture) + noise)
    return more
