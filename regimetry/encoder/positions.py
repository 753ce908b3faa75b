"""Positional encodings, as layers of the model so that a saved model carries them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.config import EncodingMethod, EncodingStyle


def sinusoidal_table(window_size: int, size: int, style: EncodingStyle) -> NDArray[np.float32]:
    """Sinusoidal positions of Vaswani et al. 2017, section 3.5.

    The angle of position t and pair p is ``t / 10000 ** (2 p / D)``. ``interleaved`` puts the sine
    of pair p at column 2 p and its cosine at 2 p + 1; ``stacked`` puts all sines before all
    cosines, where an odd D is raised by one for the table and its last column removed.

    Parameters
    ----------
    window_size : int
        W.
    size : int
        D.
    style : {"interleaved", "stacked"}
        Column layout.

    Returns
    -------
    ndarray of float32, shape (W, D)
    """
    width = size + size % 2 if style == "stacked" else size
    pairs = np.arange((width + 1) // 2)
    angles = np.arange(window_size)[:, None] / 10000.0 ** (2.0 * pairs / width)
    if style == "stacked":
        table = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    else:
        table = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(window_size, -1)
    return table[:, :size].astype(np.float32)


@keras.saving.register_keras_serializable("regimetry")
class SinusoidalPositions(keras.layers.Layer):
    """Adds a fixed sinusoidal table to tokens (batch, W, D)."""

    def __init__(self, style: EncodingStyle = "interleaved", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.style = style

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Compute the table for W and D of the input."""
        _, window_size, size = input_shape
        assert window_size is not None
        assert size is not None
        self.table = sinusoidal_table(window_size, size, self.style)

    def call(self, tokens: Any) -> Any:
        """Return ``tokens + table``."""
        return tokens + keras.ops.convert_to_tensor(self.table, tokens.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().get_config(), "style": self.style}


@keras.saving.register_keras_serializable("regimetry")
class LearnablePositions(keras.layers.Layer):
    """Adds a trained table (W, D) to tokens (batch, W, D)."""

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Create the table, drawn from a uniform distribution as Keras embeddings are."""
        _, window_size, size = input_shape
        self.table = self.add_weight(
            name="positions", shape=(window_size, size), initializer="uniform", trainable=True
        )

    def call(self, tokens: Any) -> Any:
        """Return ``tokens + table``."""
        return tokens + self.table


def position_layer(method: EncodingMethod, style: EncodingStyle) -> keras.layers.Layer | None:
    """Return the layer that adds positions, or ``None`` for the method "none"."""
    if method == "sinusoidal":
        return SinusoidalPositions(style, name="positions")
    if method == "learnable":
        return LearnablePositions(name="positions")
    return None
