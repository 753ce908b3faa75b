"""The encoder as a functional Keras model."""

from __future__ import annotations

import keras

from regimetry.encoder.blocks import transformer_block
from regimetry.encoder.config import EncoderConfig
from regimetry.encoder.masks import PaddingMask
from regimetry.encoder.pooling import POOLING_LAYERS
from regimetry.encoder.positions import position_layer
from regimetry.errors import ConfigError


def build_encoder(config: EncoderConfig) -> keras.Model:
    """Build the Transformer encoder.

    Windows (batch, W, F) -> projection F -> D -> positions -> blocks -> pooling -> embeddings
    (batch, ``config.output_dim``). The weights are drawn from Keras's global random state: call
    ``keras.utils.set_random_seed`` first for a reproducible model.

    Parameters
    ----------
    config : EncoderConfig
        ``num_features`` must be set.

    Returns
    -------
    keras.Model
        Named ``UnsupervisedTransformerEncoder``.

    Raises
    ------
    ConfigError
        ``num_features`` is ``None``.
    """
    if config.num_features is None:
        raise ConfigError("num_features is None; set it to the number of columns of a window.")
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
    pooling = POOLING_LAYERS[config.pooling](name="pooling")
    embedding = pooling(tokens) if mask is None else pooling(tokens, mask=mask)
    return keras.Model(windows, embedding, name="UnsupervisedTransformerEncoder")


def token_model(encoder: keras.Model) -> keras.Model:
    """Return the part of an encoder up to its pooling: windows to tokens (batch, W, D).

    It shares its weights with ``encoder``; objectives that score every row train through it.
    """
    return keras.Model(encoder.input, encoder.get_layer("pooling").input)
