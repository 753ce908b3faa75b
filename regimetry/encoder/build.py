"""The encoder as a functional Keras model."""

from __future__ import annotations

from inspect import signature
from typing import Any

import keras

from regimetry.encoder.blocks import transformer_block
from regimetry.encoder.config import EncoderConfig
from regimetry.encoder.masks import PaddingMask
from regimetry.encoder.objectives import OF_EMBEDDINGS
from regimetry.encoder.positions import position_layer
from regimetry.encoder.registry import pooling_class
from regimetry.encoder.weights import Weights, draw_weights
from regimetry.errors import ConfigError


def build_encoder(config: EncoderConfig, *, seed: int = 0) -> keras.Model:
    """Build the Transformer encoder.

    Windows (batch, W, F) -> projection F -> D -> positions -> blocks -> pooling -> embeddings
    (batch, D), or (batch, 3 D) with moments pooling. The weights are those that
    :func:`~regimetry.encoder.weights.draw_weights` draws, and a fit of that seed writes into its
    graph; a pooling of the user's own draws its own from Keras's global random state.

    Parameters
    ----------
    config : EncoderConfig
        ``num_features`` must be set.
    seed : int

    Returns
    -------
    keras.Model
        Named ``UnsupervisedTransformerEncoder``.

    Raises
    ------
    ConfigError
        ``num_features`` is ``None``, or a registered pooling does not make one row of the tokens
        or takes no mask where there is one.
    """
    if config.num_features is None:
        raise ConfigError("num_features is None; set it to the number of columns of a window.")
    return with_weights(config, draw_weights(config, seed))


def with_weights(config: EncoderConfig, weights: Weights) -> keras.Model:
    """Build the encoder with given weights; layers that they do not name keep Keras's own."""
    windows = keras.Input((config.window_size, config.num_features), name="windows")
    tokens, mask = windows, None
    if config.padding_mask:
        tokens, mask = PaddingMask(name="padding_mask")(tokens)
    if config.embedding_dim is not None:
        tokens = keras.layers.Dense(config.embedding_dim, name="projection")(tokens)
    positions = position_layer(config.encoding_method, config.encoding_style)
    if positions is not None:
        tokens = positions(tokens)
    for block in range(config.num_transformer_blocks):
        tokens = transformer_block(tokens, config, mask, name=f"block_{block}")
    embedding = _pooled(tokens, mask, config.pooling)
    model = keras.Model(windows, embedding, name="UnsupervisedTransformerEncoder")
    for name, arrays in weights.items():
        model.get_layer(name).set_weights(arrays)
    return model


def read_weights(model: keras.Model) -> Weights:
    """Return the weights of each layer that has some."""
    return {layer.name: tuple(layer.get_weights()) for layer in model.layers if layer.weights}


def _pooled(tokens: Any, mask: Any, name: str) -> Any:
    """Apply a registered pooling, built in or the user's."""
    layer = pooling_class(name)(name="pooling")
    if mask is not None and "mask" not in signature(layer.call).parameters:
        raise ConfigError(
            f"padding_mask is True; the pooling {name!r} has a call without mask, which it needs "
            "to leave masked rows out. Give call the argument mask, or set padding_mask=False."
        )
    pooled = layer(tokens) if mask is None else layer(tokens, mask=mask)
    if len(pooled.shape) != 2 or pooled.shape[-1] is None:
        raise ConfigError(
            f"pooling is {name!r}, which turns tokens {tuple(tokens.shape)} into "
            f"{tuple(pooled.shape)}; expected one row per window, (None, size)."
        )
    return pooled


def token_model(encoder: keras.Model) -> keras.Model:
    """Return the part of an encoder up to its pooling: windows to tokens (batch, W, D).

    It shares its weights with ``encoder``; objectives that score every row train through it.

    Raises
    ------
    ConfigError
        The encoder has no layer named ``pooling`` that takes the tokens, or not one for each row.
    """
    try:
        tokens = encoder.get_layer("pooling").input
    except ValueError:
        tokens = None
    if isinstance(tokens, list | tuple):  # with a mask, which comes second
        tokens = tokens[0]
    if not isinstance(tokens, keras.KerasTensor) or len(tokens.shape) != 3:
        raise ConfigError(
            f"The objective trains on tokens (batch, W, D), and the encoder {encoder.name!r} has "
            "no layer named 'pooling' that takes them. Give that name to the layer that pools the "
            "tokens, use an objective that needs the embedding alone, or objective=None."
        )
    if tokens.shape[1] != encoder.input.shape[1]:
        raise ConfigError(
            f"The objective scores a token of every row, and the encoder {encoder.name!r} has "
            f"{tokens.shape[1]} tokens for the {encoder.input.shape[1]} rows that it reads. Use an "
            f"objective that needs the embedding alone: {', '.join(OF_EMBEDDINGS)}."
        )
    return keras.Model(encoder.input, tokens)
