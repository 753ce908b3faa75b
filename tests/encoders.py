"""Small encoders: one to fit with, others whose weights are not the trivial ones, and windows."""

import numpy as np

import regimetry as rg
from regimetry.encoder import EncoderConfig

FAST = EncoderConfig(
    embedding_dim=8,
    head_size=8,
    num_heads=2,
    ff_dim=16,
    num_transformer_blocks=1,
    pooling="moments",
)
"""For fits that test what is around the encoder: little to trace, convert and compile."""


def fit_fast(values, **parameters):
    """A detector with that encoder, windows of 10 and few landmarks, fitted."""
    given = {"window_size": 10, "encoder": FAST, "n_landmarks": 120, "random_state": 0}
    return rg.RegimeDetector(**{**given, **parameters}).fit(values)


SMALL = {"window_size": 7, "num_features": 3, "head_size": 5, "num_heads": 2, "ff_dim": 11}


def randomised(config: EncoderConfig, seed: int = 0):
    """An encoder whose every weight, biases and normalisations included, is random."""
    from regimetry.encoder import build_encoder  # loads Keras, which most tests do without

    encoder = build_encoder(config, seed=seed)
    generator = np.random.default_rng(seed)
    encoder.set_weights(
        [w + 0.3 * generator.standard_normal(w.shape) for w in encoder.get_weights()]
    )
    return encoder


def windows(config: EncoderConfig, n: int = 9, seed: int = 1):
    """Random windows; for a padding mask some rows are missing, in the last window all."""
    generator = np.random.default_rng(seed)
    shape = (n, config.window_size, config.num_features)
    values = generator.standard_normal(shape).astype(np.float32)
    if config.padding_mask:
        values[1, : config.window_size // 2] = np.nan  # a short first window
        values[2:][generator.random(shape[:2])[2:] < 0.3, generator.integers(shape[2])] = np.nan
        values[-1] = np.nan
    return values
