"""Shapes of one cycle, tabled over its phase."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, log_uniform, pick
from regimetry.encoder.pretraining.prior.drawn import States, Values

SHAPES = ("sine", "triangle", "square", "saw", "pulse", "fourier")
POINTS = 256
_HARMONICS = 7
_ORDERS = np.arange(1, _HARMONICS + 1)


def draw_shape(generator: np.random.Generator, n_features: int, shape: str | None = None) -> Values:
    """Return one cycle (257, F) of a shape, of mean 0 and variance 1; the last row is the first.

    The channels lag behind each other, each by a phase of its own, in 80 % of the draws. A Fourier
    shape has up to 7 harmonics whose size falls as a power of the order, .3 to 1.5. Of ``bumps``,
    which are drawn by name alone, there are 2 to 8, up and down, each .01 to .12 of a cycle wide.
    """
    if shape is None:
        shape = pick(generator, dict.fromkeys(SHAPES, 1.0))
    lags = generator.random(n_features if happens(generator, 0.8) else 1)
    phase = (np.arange(POINTS)[:, None] / POINTS + lags) % 1.0
    phase = np.broadcast_to(phase, (POINTS, n_features))
    made = {"fourier": _fourier, "bumps": _bumps}.get(shape)
    cycle = made(generator, phase) if made else _plain(generator, phase, shape)
    return normalised(np.concatenate([cycle, cycle[:1]]))


def normalised(cycle: Values) -> Values:
    """Return a cycle (257, F) of mean 0 and variance 1."""
    cycle = cycle - cycle[:-1].mean(axis=0)
    return cycle / np.sqrt(np.einsum("pf,pf->f", cycle[:-1], cycle[:-1]) / POINTS)


def _plain(generator: np.random.Generator, phase: Values, shape: str) -> Values:
    if shape == "sine":
        return np.sin(2.0 * np.pi * phase)
    if shape == "triangle":
        return np.abs(2.0 * phase - 1.0)
    if shape == "square":
        return (phase < 0.5).astype(np.float64)
    if shape == "saw":
        return phase
    width = generator.uniform(0.03, 0.15, phase.shape[1])
    return np.exp(-0.5 * ((phase - 0.5) / width) ** 2)


def _fourier(generator: np.random.Generator, phase: Values) -> Values:
    """Return sums of harmonics, of the same few orders in each channel."""
    n_harmonics = int(generator.integers(1, _HARMONICS + 1))
    orders = _ORDERS[:n_harmonics]
    sizes = orders ** -generator.uniform(0.3, 1.5)
    angles = 2.0 * np.pi * orders * phase[:, :1]
    weights = generator.standard_normal((2 * n_harmonics, phase.shape[1]))
    weights *= np.concatenate([sizes, sizes])[:, None]
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1) @ weights


def _bumps(generator: np.random.Generator, phase: Values) -> Values:
    """Return sums of bumps (256, F), at the same places of each channel's phase."""
    n_bumps = int(generator.integers(2, 9))
    heights = generator.standard_normal((n_bumps, phase.shape[1]))
    cycle = np.zeros(phase.shape)
    for place, height in zip(generator.random(n_bumps), heights, strict=True):
        away = (phase - place + 0.5) % 1.0 - 0.5
        cycle += height * np.exp(-0.5 * (away / log_uniform(generator, 0.01, 0.12)) ** 2)
    return cycle


def trace(shapes: Values, which: States, phase: Values) -> Values:
    """Return shapes (n, 257, F) at phases (T,), interpolated; ``which`` (T,) names each row's."""
    place = (phase % 1.0) * POINTS
    below = place.astype(np.int64)
    weight = (place - below)[:, None]
    return (1.0 - weight) * shapes[which, below] + weight * shapes[which, below + 1]
