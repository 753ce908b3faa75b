"""The encoder's weights, drawn by numpy: the graph and a Keras model of one seed have the same."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.config import EncoderConfig

Weights = Mapping[str, tuple[NDArray[np.float32], ...]]
"""The arrays of each layer that has some, by the name and in the order that Keras gives them."""


def draw_weights(config: EncoderConfig, seed: int) -> Weights:
    """Draw the initial weights of an encoder.

    Matrices are uniform as Glorot, Bengio 2010 have them, by the dense layer that they are;
    learnable positions uniform up to .05; biases 0 and gains 1. A pooling of the user's own draws
    its weights itself, in Keras.

    Parameters
    ----------
    config : EncoderConfig
        With ``num_features``.
    seed : int

    Returns
    -------
    mapping of str to tuple of ndarray of float32
        The same for the same seed, on every machine whose numpy draws alike.
    """
    assert config.num_features is not None
    generator = np.random.default_rng(seed)
    size = config.token_size
    heads, head_size, hidden = config.num_heads, config.head_size, config.ff_dim

    def uniform(limit: float, *shape: int) -> NDArray[np.float32]:
        return generator.uniform(-limit, limit, shape).astype(np.float32)

    def dense(inputs: int, outputs: int, *shape: int) -> NDArray[np.float32]:
        return uniform(math.sqrt(6.0 / (inputs + outputs)), *(shape or (inputs, outputs)))

    def zeros(*shape: int) -> NDArray[np.float32]:
        return np.zeros(shape, np.float32)

    weights: dict[str, tuple[NDArray[np.float32], ...]] = {}
    if config.embedding_dim is not None:
        weights["projection"] = dense(config.num_features, size), zeros(size)
    if config.encoding_method == "learnable":
        weights["positions"] = (uniform(0.05, config.window_size, size),)
    for block in range(config.num_transformer_blocks):
        name, unit = f"block_{block}", (np.ones(size, np.float32), zeros(size))
        weights[f"{name}_attention"] = (
            *(
                array
                for _ in ("query", "key", "value")
                for array in (
                    dense(size, heads * head_size, size, heads, head_size),
                    zeros(heads, head_size),
                )
            ),
            dense(heads * head_size, size, heads, head_size, size),
            zeros(size),
        )
        weights[f"{name}_attention_norm"] = unit
        weights[f"{name}_expand"] = dense(size, hidden, 1, size, hidden), zeros(hidden)
        weights[f"{name}_contract"] = dense(hidden, size, 1, hidden, size), zeros(size)
        weights[f"{name}_norm"] = unit
    if config.pooling == "attention":
        weights["pooling"] = (dense(size, 1),)
    return weights
