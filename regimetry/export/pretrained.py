"""The pretrained encoder in the graph, written from its folded weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from regimetry.encoder.pretraining.architecture import (
    BLOCKS,
    EPSILON,
    HEAD_SIZE,
    HEADS,
    SHARES,
    TOKEN,
)
from regimetry.encoder.pretraining.folded import Folded, relative_bias
from regimetry.export.part import EncoderPart
from regimetry.export.shapes import Batch
from regimetry.export.tape import Tape

Weights = Mapping[str, NDArray[np.float32]]


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

    Wide tables are read through their main directions, ``scaled @ directions``, in place of
    ``scaled``. With P patches of p rows, for each dilation r with its kernels w and offsets o::

        share = sigmoid(conv(scaled.T[:, :, -P p - reach_r:], w, -o))       # (B, 64, P p)
        patch = mean(share.reshape(B, 64, P, p), axis=3)                    # all: (B, S, P)
        u, v, x = split(patch.T @ gate + bias)                              # each (B, P, D)
        x = layer_norm(u * v + x)
        x = x + layer_norm(attention(x)); x = x + layer_norm(ff(x))         # for each block
        embedding = (x @ out)[:, [middle, P - 1]].reshape(B, 64)

    Of the last block only these two tokens are computed.
    """
    geometry, weights = folded.geometry, folded.weights
    rows = _gated(tape, weights, _patches(tape, folded, scaled))
    for block in range(BLOCKS):
        name = f"block_{block}_"
        own = {key.removeprefix(name): w for key, w in weights.items() if key.startswith(name)}
        asked = None if block < BLOCKS - 1 else geometry.asked
        rows = _Block(own, geometry.tokens, asked).record(tape, rows)
    return tape.reshape(tape.MatMul(rows, weights["out"]), (Batch(1), folded.size))


def _patches(tape: Tape, folded: Folded, scaled: ir.Value) -> ir.Value:
    """Return the shares of each patch as rows, (B P, S)."""
    geometry = folded.geometry
    rows, patch = geometry.window_size + geometry.reach, geometry.patch
    directions = folded.directions
    read = scaled if directions is None else tape.MatMul(scaled, directions)
    channels = tape.Transpose(read, perm=[0, 2, 1])
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
    shares = tape.Transpose(tape.Concat(*found, axis=1), perm=[0, 2, 1])
    return tape.reshape(shares, (Batch(geometry.tokens), SHARES * len(found)))


def _gated(tape: Tape, weights: Weights, patches: ir.Value) -> ir.Value:
    """Return the tokens (B P, D)."""
    mixed = tape.Gemm(patches, weights["gate"], weights["gate_bias"])
    tape.Split(mixed, [TOKEN] * 3, axis=1, outputs=3)
    first, second, third = tape.nodes[-1].outputs
    return _normalised(tape, tape.Add(tape.Mul(first, second), third), weights["gate_norm"])


@dataclass(frozen=True)
class _Block:
    """A block on P tokens, as rows (B P, D), of which all or some are computed.

    Attributes
    ----------
    weights : mapping of str to ndarray
        By their names within the block.
    count : int
        P.
    asked : sequence of int or None
        The tokens that are computed; ``None``: all.
    """

    weights: Weights
    count: int
    asked: Sequence[int] | None

    def record(self, tape: Tape, rows: ir.Value) -> ir.Value:
        w, own = self.weights, self._own(tape, rows, TOKEN)
        own = tape.Add(own, _normalised(tape, self._attended(tape, rows), w["attention_norm"]))
        hidden = tape.Relu(tape.Gemm(own, w["expand"], w["expand_bias"]))
        hidden = tape.Gemm(hidden, w["contract"], w["contract_bias"])
        return tape.Add(own, _normalised(tape, hidden, w["norm"]))

    def _own(self, tape: Tape, rows: ir.Value, size: int) -> ir.Value:
        """Return the rows of the tokens that are computed, of ``size`` columns."""
        if self.asked is None:
            return rows
        windows = tape.reshape(rows, (Batch(1), self.count, size))
        chosen = tape.Gather(windows, list(self.asked), axis=1)
        return tape.reshape(chosen, (Batch(len(self.asked)), size))

    def _attended(self, tape: Tape, rows: ir.Value) -> ir.Value:
        """Return the output of the attention: of query, key and value in one product."""
        w, size = self.weights, HEADS * HEAD_SIZE
        scale = 1.0 / math.sqrt(HEAD_SIZE)
        products = np.concatenate([scale * w["query"], w["key"], w["value"]], axis=1)
        shift = np.concatenate([scale * w["query_bias"], np.zeros(2 * size, np.float32)])
        apart = tape.reshape(
            tape.Gemm(rows, products, shift), (Batch(1), self.count, 3 * HEADS, HEAD_SIZE)
        )
        tape.Split(tape.Transpose(apart, perm=[0, 2, 1, 3]), [HEADS] * 3, axis=1, outputs=3)
        query, key, value = tape.nodes[-1].outputs
        bias, count = relative_bias(w["relative"], self.count), self.count
        if self.asked is not None:
            query = tape.Gather(query, list(self.asked), axis=2)
            bias, count = bias[:, list(self.asked)], len(self.asked)
        scores = tape.MatMul(query, tape.Transpose(key, perm=[0, 1, 3, 2]))
        attention = tape.Softmax(tape.Add(scores, bias[None]), axis=-1)
        mixed = tape.Transpose(tape.MatMul(attention, value), perm=[0, 2, 1, 3])
        return tape.Gemm(tape.reshape(mixed, (Batch(count), size)), w["output"], w["output_bias"])


def _normalised(tape: Tape, values: ir.Value, weights: NDArray[np.float32]) -> ir.Value:
    gain, bias = weights
    return tape.LayerNormalization(values, gain, bias, axis=-1, epsilon=EPSILON)
