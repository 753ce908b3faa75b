"""One Transformer block."""

from __future__ import annotations

from typing import Any

from keras import layers

from regimetry.encoder.config import EncoderConfig


def transformer_block(tokens: Any, config: EncoderConfig, mask: Any, name: str) -> Any:
    """Apply attention and feed-forward part to tokens (batch, W, D).

    Each branch is normalised before it is added to the residual stream. The feed-forward part is
    two convolutions of kernel 1, that is, a dense layer on every token alone.

    Parameters
    ----------
    tokens : Keras tensor, shape (batch, W, D)
    config : EncoderConfig
    mask : Keras tensor, shape (batch, W), or None
        True where a row may be attended to.
    name : str
        Prefix of the layers' names.

    Returns
    -------
    Keras tensor, shape (batch, W, D)
    """
    attended = layers.MultiHeadAttention(
        config.num_heads, config.head_size, dropout=config.dropout, name=f"{name}_attention"
    )(
        tokens,
        tokens,
        attention_mask=None if mask is None else mask[:, None, :],
        use_causal_mask=config.look_ahead_mask,
    )
    attended = layers.Dropout(config.dropout, name=f"{name}_attention_dropout")(attended)
    normalised = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_attention_norm")(attended)
    residual = normalised + tokens

    hidden = layers.Conv1D(config.ff_dim, 1, activation="relu", name=f"{name}_expand")(residual)
    hidden = layers.Dropout(config.dropout, name=f"{name}_dropout")(hidden)
    hidden = layers.Conv1D(tokens.shape[-1], 1, name=f"{name}_contract")(hidden)
    normalised = layers.LayerNormalization(epsilon=1e-6, name=f"{name}_norm")(hidden)
    return normalised + residual
