"""Positional encodings, as layers of the model so that a saved model carries them."""

from __future__ import annotations

from typing import Any

import keras

from regimetry.encoder.config import EncodingMethod, EncodingStyle
from regimetry.encoder.sinusoids import sinusoidal_table


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
