"""Pairs of windows of one series, which objectives on embeddings compare."""

from __future__ import annotations

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from regimetry.encoder.training.parts import Windows


def stack_pairs(
    windows: Windows, numbers: NDArray[np.int64], later: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the windows ``numbers``, then those ``later`` bars after them; (2 batch, W, F)."""
    return np.concatenate([windows.take(numbers), windows.take(numbers + later)])


def split_pairs(output: keras.KerasTensor) -> list[keras.KerasTensor]:
    """Return the two halves of a batch that :func:`stack_pairs` made."""
    return ops.split(output, 2, axis=0)


def no_target(n_pairs: int) -> NDArray[np.float32]:
    """Return the target of an objective that compares outputs with each other."""
    return np.zeros((2 * n_pairs, 1), dtype=np.float32)


def projection_head(encoder: keras.Model, size: int) -> keras.Model:
    """Return the encoder with a hidden and a linear layer behind it, which the fit drops.

    Chen et al. 2020, section 4.2: the loss shapes the projection, the embedding keeps more.
    """
    hidden = keras.layers.Dense(size, activation="relu", name="hidden")(encoder.output)
    return keras.Model(encoder.input, keras.layers.Dense(size, name="projection_head")(hidden))
