"""Masked reconstruction: hide spans of a window, rebuild them from the rest.

Zerveas et al. 2021, "A Transformer-based Framework for Multivariate Time Series Representation
Learning", section 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from regimetry.encoder.build import token_model
from regimetry.encoder.objectives.objective import Objective
from regimetry.windows import Windows


def geometric_mask(
    shape: tuple[int, int, int], ratio: float, mean_span: float, generator: np.random.Generator
) -> NDArray[np.bool_]:
    """Draw which entries to hide, in spans of geometric length, each feature on its own.

    A two-state Markov chain runs along time: a hidden span ends with probability
    ``1 / mean_span``, a visible one with the probability that hides ``ratio`` of all entries.

    Parameters
    ----------
    shape : (batch, W, F)
    ratio : float
        Expected share of hidden entries, in (0, 1).
    mean_span : float
        Expected length of a hidden span in rows, at least 1.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of bool, shape (batch, W, F)
        True where hidden.
    """
    batch, window_size, num_features = shape
    ends = 1.0 / mean_span
    begins = min(1.0, ends * ratio / (1.0 - ratio))
    draws = generator.random((window_size, batch, num_features))
    hidden = np.empty(draws.shape, dtype=bool)
    hidden[0] = draws[0] < ratio
    for row in range(1, window_size):
        hidden[row] = np.where(hidden[row - 1], draws[row] >= ends, draws[row] < begins)
    return hidden.transpose(1, 0, 2)


@dataclass(frozen=True)
class MaskedReconstruction(Objective):
    """Mean squared error on hidden entries, through a linear decoder on every token.

    Parameters
    ----------
    ratio : float
        Share of entries hidden.
    mean_span : float
        Mean length of a hidden span, in rows.
    """

    ratio: float = 0.15
    mean_span: float = 3.0

    def attach(self, encoder: keras.Model, windows: Windows) -> keras.Model:
        """Return windows with hidden entries -> reconstruction (batch, W, F)."""
        tokens = token_model(encoder)
        decoder = keras.layers.Dense(encoder.input.shape[-1], name="decoder")
        return keras.Model(tokens.input, decoder(tokens.output))

    def loss(self, target: Any, output: Any) -> Any:
        """Return the error over hidden entries; ``target`` is values and mask side by side."""
        values, hidden = ops.split(target, 2, axis=-1)
        squared = hidden * ops.square(values - output)
        return ops.sum(squared) / ops.maximum(ops.sum(hidden), 1.0)

    def batch(
        self,
        windows: Windows,
        numbers: NDArray[np.int64],
        generator: np.random.Generator,
        *,
        training: bool,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return windows with hidden entries set to 0, and values beside the mask.

        A row with a NaN, which a padding mask hides from the encoder, is no target.
        """
        values = windows.take(numbers)
        hidden = geometric_mask(values.shape, self.ratio, self.mean_span, generator)
        hidden &= ~np.isnan(values).any(axis=2, keepdims=True)
        target = np.concatenate([np.nan_to_num(values), hidden.astype(np.float32)], axis=-1)
        return np.where(hidden, np.float32(0.0), values), target
