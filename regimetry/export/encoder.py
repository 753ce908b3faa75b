"""The encoder in the graph, written from its weights."""

from __future__ import annotations

from functools import partial

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from regimetry.encoder.config import EncoderConfig
from regimetry.encoder.sinusoids import sinusoidal_table
from regimetry.encoder.weights import Weights
from regimetry.export.attention import Attention, Mask, self_attention
from regimetry.export.first_block import FirstTokens, first_block_attention
from regimetry.export.part import EncoderPart
from regimetry.export.pooled import pooled
from regimetry.export.shapes import Batch, dims
from regimetry.export.tape import Tape

EPSILON = 1e-6  # of the normalisations


def encoder_part(config: EncoderConfig, weights: Weights, opset: int) -> EncoderPart:
    """Return the encoder of a configuration as a part of a graph."""
    assert config.num_features is not None
    size = config.token_size * (3 if config.pooling == "moments" else 1)
    record = partial(encoder_embedding, config, weights)
    return EncoderPart(record, config.window_size, config.num_features, size, opset)


def encoder_embedding(
    config: EncoderConfig, weights: Weights, tape: Tape, scaled: ir.Value
) -> ir.Value:
    """Scaled windows (B, W, F) to embeddings (B, D); equals ``embed_in_numpy``.

    With attention folded (:mod:`~regimetry.export.attention`) and tokens as rows (B W, D), a block
    is::

        x = layer_norm(attention(x)) + x
        x = layer_norm(relu(x @ w1 + b1) @ w2 + b2) + x
    """
    window_size, seen = config.window_size, None
    scaled.meta["dims"] = (Batch(1), window_size, config.num_features)
    if config.padding_mask:
        scaled, seen = _without_missing(tape, scaled)
    mask, offset = _mask(tape, config, seen), _positions(config, weights)
    names = [f"block_{block}" for block in range(config.num_transformer_blocks)]
    layers = [_attention(weights[f"{name}_attention"], mask) for name in names]
    attended: ir.Value | None = None
    if "projection" in weights:
        kernel, bias = (array.astype(np.float64) for array in weights["projection"])
        first = FirstTokens(features=scaled, projection=kernel, offset=offset + bias)
        if layers:
            rows, attended = first_block_attention(tape, layers[0], first)
        else:
            rows = first.rows(tape)
    else:
        tokens = tape.Add(scaled, offset[None]) if offset.any() else scaled
        rows = tape.reshape(tokens, (Batch(window_size), offset.shape[1]))
    for name, layer in zip(names, layers, strict=True):
        if attended is None:
            attended = self_attention(tape, layer, rows, window_size)
        residual = tape.Add(_normalised(tape, attended, weights[f"{name}_attention_norm"]), rows)
        (w1, b1), (w2, b2) = weights[f"{name}_expand"], weights[f"{name}_contract"]
        hidden = tape.Gemm(tape.Relu(tape.Gemm(residual, w1[0], b1)), w2[0], b2)
        rows = tape.Add(_normalised(tape, hidden, weights[f"{name}_norm"]), residual)
        attended = None  # of the next block, whose tokens these are
    windows = tape.reshape(rows, (Batch(1), window_size, offset.shape[1]))
    return pooled(tape, config.pooling, windows, seen, *weights.get("pooling", ()))


def _positions(config: EncoderConfig, weights: Weights) -> NDArray[np.float64]:
    """Return what the positions add to the tokens, (W, D)."""
    if config.encoding_method == "learnable":
        return weights["positions"][0].astype(np.float64)
    if config.encoding_method == "sinusoidal":
        table = sinusoidal_table(config.window_size, config.token_size, config.encoding_style)
        return table.astype(np.float64)
    return np.zeros((config.window_size, config.token_size))


def _without_missing(tape: Tape, scaled: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Rows with a NaN become 0; also return which rows have none, 1 or 0, (B, W, 1)."""
    missing = tape.IsNaN(scaled)
    any_missing = tape.reduce("ReduceMax", tape.Cast(missing, to=ir.DataType.FLOAT), 2)
    seen = tape.Sub(1.0, any_missing)
    values = tape.Mul(tape.Where(missing, 0.0, scaled), seen)
    values.meta["dims"] = dims(scaled)
    return values, seen


def _mask(tape: Tape, config: EncoderConfig, seen: ir.Value | None) -> Mask | None:
    """Return which keys each position sees: those that are there, and none after itself."""
    window_size = config.window_size
    keys = None if seen is None else tape.reshape(seen, (Batch(1), 1, 1, window_size))
    if not config.look_ahead_mask:
        return None if keys is None else Mask(seen=keys)
    before = np.tri(window_size, dtype=np.float32)[None, :, None]
    return Mask(seen=before if keys is None else tape.Mul(keys, before))


def _attention(weights: tuple[NDArray[np.float32], ...], mask: Mask | None) -> Attention:
    """Read Keras's order: kernel and bias of query, key, value and output."""
    query, query_bias, key, _, value, value_bias, output, bias = (
        array.astype(np.float64) for array in weights
    )
    scale = 1.0 / np.sqrt(query.shape[-1])
    return Attention(
        query=scale * query,
        query_bias=scale * query_bias,
        key=key,
        value=value,
        value_bias=value_bias,
        output=output,
        bias=bias,
        mask=mask,
    )


def _normalised(tape: Tape, rows: ir.Value, weights: tuple[NDArray[np.float32], ...]) -> ir.Value:
    return tape.LayerNormalization(rows, *weights, axis=-1, epsilon=EPSILON)
