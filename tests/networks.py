"""Weights of the pretrained network that are not the trivial ones, and series for it to read."""

import numpy as np

from regimetry.encoder.pretraining.folded import fold
from regimetry.encoder.pretraining.initial import initial_weights


def random_weights(seed=0):
    """Initial weights, every one of them moved: biases, thresholds and normalisations too."""
    generator = np.random.default_rng(seed)
    return {
        name: (array + 0.1 * generator.standard_normal(array.shape)).astype(np.float32)
        for name, array in initial_weights(seed).items()
    }


def random_series(n_rows, n_features, seed=0):
    """Rows (T, F) of cycles and noise."""
    generator = np.random.default_rng(seed)
    cycles = np.sin(np.arange(n_rows)[:, None] / generator.uniform(2, 20, n_features))
    return (cycles + generator.standard_normal((n_rows, n_features))).astype(np.float32)


def folded_with_windows(window_size, n_features, n_windows=7, seed=0):
    """A folded network of random weights, and windows (N, W + reach, F) that it reads."""
    rows = random_series(3 * window_size + 400, n_features, seed)
    folded = fold(random_weights(seed), [rows], window_size, seed)
    length = window_size + folded.geometry.reach
    starts = np.linspace(0, len(rows) - length, n_windows).astype(int)
    return folded, np.stack([rows[start : start + length] for start in starts])
