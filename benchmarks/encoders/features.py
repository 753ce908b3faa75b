"""The kinds of features that are compared; each is fitted on training rows and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.rivals.fitted import Values
from benchmarks.rivals.statistics import window_statistics
from regimetry.encoder import convolutions
from regimetry.encoder.config import EncoderConfig
from regimetry.encoder.pretraining.architecture import Geometry
from regimetry.encoder.pretraining.config import PretrainedEncoder
from regimetry.encoder.pretraining.folded import fold
from regimetry.encoder.pretraining.initial import initial_weights
from regimetry.encoder.pretraining.reference import embed_series
from regimetry.fit import encoder
from regimetry.fit.options import FitOptions
from regimetry.windows import rolling_windows

Embed = Callable[[Values, int], NDArray[np.floating]]
"""Takes preprocessed rows (T, F) and a step; returns the embeddings (N, D) of the windows that end
every step rows, the first of which reads ``reach`` rows and W."""

Fit = Callable[[Sequence[Values], int, int], Embed]
"""Takes preprocessed training rows, a window size and a seed."""

Weights = Mapping[str, NDArray[np.float32]]

UNTRAINED = EncoderConfig(embedding_dim=64, pooling="moments", convolutions=None)

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)

_BLOCK = 1 << 21  # numbers of windows that are looked at together
_LEAST_POWER = 1e-4  # of a frequency, for its logarithm


@dataclass(frozen=True)
class Features:
    """A kind of features.

    Attributes
    ----------
    title : str
        For tables.
    reach : callable
        Window size to the rows before a window that are read.
    fit : callable
    pretrained : bool
        Whether the pretrained weights are part of them.
    halves : bool
        The first half of an embedding describes the middle of a window, the second its newest rows.
    either : mapping of str to Features
        One of these, by the rule that chooses windows; then the rest here is not looked at.
    """

    title: str
    reach: Callable[[int], int]
    fit: Fit
    pretrained: bool = False
    halves: bool = False
    either: Mapping[str | None, Features] = field(default_factory=dict)


def features_of(name: str, weights: Path | None = None) -> Features:
    """Return the features of a name; ``weights``: of a pretraining, ``None``: the built-in ones."""

    def pretrained(series: Sequence[Values], size: int, seed: int) -> Embed:
        return _folded(arrays_of(weights), series, size, seed)

    def both(series: Sequence[Values], size: int, seed: int) -> Embed:
        fixed, folded = _bank(series, size, seed), pretrained(series, size, seed)
        return lambda rows, step: np.concatenate([fixed(rows, step), folded(rows, step)], axis=1)

    own = Features("pretrained", _span, pretrained, pretrained=True, halves=True)
    bank = Features("convolutions", convolutions.reach, _bank)
    either = {"convolutions": bank, "pretrained": own}
    return {
        "pretrained": own,
        "auto": Features("one of the two", _span, pretrained, pretrained=True, either=either),
        "convolutions": bank,
        "both": Features("convolutions and pretrained", _span, both, pretrained=True),
        "untrained": Features("untrained Transformer", _none, _untrained),
        "statistics": Features("window statistics", _none, _by_window(window_statistics)),
        "hand": Features("log spectrum and quantiles", _none, _by_window(spectrum_and_quantiles)),
        "random": Features("pretrained, before its training", _span, _random, halves=True),
    }[name]


NAMES = ("pretrained", "auto", "convolutions", "both", "untrained", "statistics", "hand", "random")


@cache
def arrays_of(weights: Path | None) -> Weights:
    """Return the weights of a file, or the built-in ones."""
    return PretrainedEncoder(weights).weights.arrays


@cache
def sum_of(weights: Path | None) -> str:
    """Return the sum of the weights of a file, or of the built-in ones."""
    return PretrainedEncoder(weights).weights.sum


def spectrum_and_quantiles(windows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return log powers by octave and five quantiles of each channel.

    Parameters
    ----------
    windows : ndarray of float, shape (N, W, F)

    Returns
    -------
    ndarray of float64, shape (N, (O + 5) F)
        Of the O octaves of the W / 2 frequencies above 0, the first alone.
    """
    wide = np.asarray(windows, np.float64)
    size = wide.shape[1]
    power = np.abs(np.fft.rfft(wide, axis=1)[:, 1:]) ** 2 / size
    edges = 2 ** np.arange(int(np.log2(power.shape[1])) + 1) - 1
    octaves = [
        power[:, first:last].mean(axis=1)
        for first, last in zip(edges, [*edges[1:], power.shape[1]], strict=True)
    ]
    quantiles = np.quantile(wide, QUANTILES, axis=1)
    return np.concatenate([*np.log(np.array(octaves) + _LEAST_POWER), *quantiles], axis=1)


def _span(size: int) -> int:
    return Geometry.of(size).reach


def _none(size: int) -> int:
    return 0


def _bank(series: Sequence[Values], size: int, seed: int) -> Embed:
    return convolutions.fit_bank(series, size, seed).embed_series


def _folded(arrays: Weights, series: Sequence[Values], size: int, seed: int) -> Embed:
    folded = fold(arrays, series, size, seed)
    return lambda rows, step: embed_series(folded, rows, step)


def _random(series: Sequence[Values], size: int, seed: int) -> Embed:
    return _folded(initial_weights(seed), series, size, seed)


def _untrained(series: Sequence[Values], size: int, seed: int) -> Embed:
    options = FitOptions(encoder=UNTRAINED, seed=seed)
    return lambda rows, step: encoder.embed_series(options, [rows], size, step)[0]


def _by_window(function: Callable[[Values], Values]) -> Fit:
    """Return features that are a function of each window, with nothing to fit."""

    def fit(series: Sequence[Values], size: int, seed: int) -> Embed:
        def embed(rows: Values, step: int) -> Values:
            windows = rolling_windows(rows, size)[::step]
            count = max(1, _BLOCK // (size * rows.shape[1]))
            return np.concatenate(
                [function(windows[i : i + count]) for i in range(0, len(windows), count)]
            )

        return embed

    return fit
