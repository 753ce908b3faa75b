"""The pretrained encoder in the graph, written from its folded weights."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial

import onnx_ir as ir
from numpy.typing import NDArray

from regimetry.encoder.pretraining.architecture import BLOCKS, HEAD_SIZE, HEADS, TOKEN
from regimetry.encoder.pretraining.folded import EPSILON, Folded, relative_bias
from regimetry.export.part import EncoderPart
from regimetry.export.shapes import Batch
from regimetry.export.tape import Tape

Weights = Mapping[str, NDArray]


def pretrained_part(folded: Folded, opset: int) -> EncoderPart:
    """Return a folded network as a part of a graph."""
    geometry = folded.geometry
    return EncoderPart(
        partial(pretrained_embedding, folded),
        geometry.window_size,
        folded.n_features,
        folded.size,
        opset,
        reach=geometry.reach,
    )


def pretrained_embedding(folded: Folded, tape: Tape, scaled: ir.Value) -> ir.Value:
    """Scaled windows (B, W + reach, F) to embeddings (B, 64); equals ``embed_in_numpy``.

    With P patches of p rows, for each dilation r with its kernels w and offsets o::

        share = sigmoid(conv(scaled.T[:, :, -P p - reach_r:], w, -o))       # (B, 64, P p)
        patch = mean(share.reshape(B, 64, P, p), axis=3)                    # all: (B, M, P)
        u, v, x = split(patch.T @ gate + bias)                              # each (B, P, D)
        x = layer_norm(u * v + x)
        x = x + layer_norm(attention(x)); x = x + layer_norm(ff(x))         # for each block
        embedding = (x @ out)[:, [middle, P - 1]].reshape(B, 64)

    Of the last block only these two tokens are computed.
    """
    geometry, weights = folded.geometry, folded.weights
    tokens = _gated(tape, weights, _patches(tape, folded, scaled))
    for block in range(BLOCKS):
        asked = None if block < BLOCKS - 1 else geometry.asked
        tokens = _block(tape, weights, f"block_{block}", tokens, geometry.tokens, asked)
    found = tape.MatMul(tokens, weights["out"])
    return tape.reshape(found, (Batch(1), folded.size))


def _patches(tape: Tape, folded: Folded, scaled: ir.Value) -> ir.Value:
    """Return the shares of each patch, (B, P, M)."""
    geometry = folded.geometry
    rows, patch = geometry.window_size + geometry.reach, geometry.patch
    channels = tape.Transpose(scaled, perm=[0, 2, 1])
    found = []
    for group in folded.groups:
        first = rows - geometry.tokens * patch - group.reach
        excess = tape.Conv(
            tape.Slice(channels, [first], [rows], [2]) if first else channels,
            group.weights,
            -group.offsets,
            dilations=[max(1, group.dilation)],
            kernel_shape=[group.weights.shape[2]],
        )
        share = tape.Sigmoid(excess)
        if patch > 1:
            share = tape.AveragePool(share, kernel_shape=[patch], strides=[patch])
        found.append(share)
    return tape.Transpose(tape.Concat(*found, axis=1), perm=[0, 2, 1])


def _gated(tape: Tape, weights: Weights, patches: ir.Value) -> ir.Value:
    """Return the tokens (B, P, D)."""
    mixed = tape.Add(tape.MatMul(patches, weights["gate"]), weights["gate_bias"])
    first, second, third = tape.split(mixed, [TOKEN] * 3)
    return _normalised(
        tape, tape.Add(tape.Mul(first, second), third), weights["gate_norm"]
    )


def _block(
    tape: Tape,
    weights: Weights,
    name: str,
    tokens: ir.Value,
    count: int,
    asked: tuple[int, ...] | None,
) -> ir.Value:
    """Return what a block makes of tokens (B, P, D), or of some of them that attend to all."""
    w = {
        key.removeprefix(f"{name}_"): array
        for key, array in weights.items()
        if key.startswith(f"{name}_")
    }
    own = tokens if asked is None else tape.Gather(tokens, list(asked), axis=1)
    size = count if asked is None else len(asked)
    attended = _attended(tape, w, own, tokens, size, count, asked)
    own = tape.Add(own, _normalised(tape, attended, w["attention_norm"]))
    hidden = tape.Relu(tape.Add(tape.MatMul(own, w["expand"]), w["expand_bias"]))
    hidden = tape.Add(tape.MatMul(hidden, w["contract"]), w["contract_bias"])
    return tape.Add(own, _normalised(tape, hidden, w["norm"]))


def _attended(
    tape: Tape,
    w: Weights,
    own: ir.Value,
    tokens: ir.Value,
    size: int,
    count: int,
    asked: tuple[int, ...] | None,
) -> ir.Value:
    def heads(projected: ir.Value, length: int, perm: list[int]) -> ir.Value:
        apart = tape.reshape(projected, (Batch(1), length, HEADS, HEAD_SIZE))
        return tape.Transpose(apart, perm=perm)

    scale = 1.0 / math.sqrt(HEAD_SIZE)
    query = tape.Add(tape.MatMul(own, scale * w["query"]), scale * w["query_bias"])
    key, value = tape.MatMul(tokens, w["key"]), tape.MatMul(tokens, w["value"])
    scores = tape.MatMul(heads(query, size, [0, 2, 1, 3]), heads(key, count, [0, 2, 3, 1]))
    bias = relative_bias(w["relative"], count)
    bias = bias if asked is None else bias[:, list(asked)]
    weights = tape.Softmax(tape.Add(scores, bias[None]), axis=-1)
    mixed = tape.Transpose(tape.MatMul(weights, heads(value, count, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
    joined = tape.reshape(mixed, (Batch(1), size, HEADS * HEAD_SIZE))
    return tape.Add(tape.MatMul(joined, w["output"]), w["output_bias"])


def _normalised(tape: Tape, values: ir.Value, weights: NDArray) -> ir.Value:
    gain, bias = weights
    return tape.LayerNormalization(values, gain, bias, axis=-1, epsilon=EPSILON)
