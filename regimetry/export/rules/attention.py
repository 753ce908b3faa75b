"""Self-attention as tf2onnx writes it, with its projections multiplied out.

What it becomes, and why that is equal, stands in :mod:`regimetry.export.attention`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import onnx_ir as ir

from regimetry.export.attention import Attention, Mask, folded_attention
from regimetry.export.rules.masks import Seen, masked_weights, unmasked_scores
from regimetry.export.rules.matching import (
    Declined,
    attribute,
    constant,
    consumer,
    input_of,
    made_by,
    moved,
    needed,
    sizes_of,
    with_added_row,
)
from regimetry.export.rules.projections import COLUMNS, ROWS, Projection, read_projection
from regimetry.export.rules.views import as_rows, as_windows
from regimetry.export.shapes import dims
from regimetry.export.tape import Tape


@dataclass(frozen=True)
class _Layer:
    """One attention layer: its tokens, weights and mask, and the value that it gives."""

    tokens: ir.Value
    attention: Attention
    seen: Seen | None
    result: ir.Value


class FoldedAttention:
    """Anchored at the softmax of scores (batch, H, W, W)."""

    name = "attention"

    def anchors(self, node: ir.Node) -> bool:
        """Return whether it is a softmax over the last of four axes."""
        shape = dims(node.inputs[0]) if node.op_type == "Softmax" else None
        return shape is not None and len(shape) == 4

    def rewrite(self, node: ir.Node, tape: Tape) -> tuple[ir.Value, ir.Value]:
        """Fold, if it saves operations."""
        layer = _read(node)
        window_size, size = sizes_of(layer.tokens, "the tokens have")
        plain, folded = layer.attention.operations(window_size)
        if folded >= plain:
            raise Declined(
                f"folding would take {folded} multiply-accumulates a window instead of {plain}, "
                f"with D = {size} and heads of {layer.attention.query.shape[-1]}"
            )
        mask = None if layer.seen is None else _mask(tape, layer.seen)
        attention = replace(layer.attention, mask=mask)
        rows = folded_attention(tape, attention, as_rows(tape, layer.tokens), window_size)
        return layer.result, as_windows(tape, rows, layer.tokens)


def _read(node: ir.Node) -> _Layer:
    """Read the layer around a softmax; decline at the first thing that does not fit."""
    if attribute(node, "axis", -1) not in (-1, 3):
        raise Declined("the softmax is not over the last axis")
    scores, mask = unmasked_scores(input_of(node))
    query, key = _query_and_key(scores)
    weights = masked_weights(node.outputs[0], mask)
    averages = consumer(weights, "MatMul", "the weights")
    value = read_projection(averages.inputs[1], ROWS, "the value")
    if not query.tokens is key.tokens is value.tokens:
        raise Declined("query, key and value read different tokens: no self-attention")
    behind = moved(
        consumer(averages.outputs[0], "Transpose", "the averages"),
        ROWS,
        "the averages' heads are not moved back behind the positions",
    )
    joined = consumer(behind.outputs[0], "Reshape", "the moved averages")
    product = consumer(joined.outputs[0], "MatMul", "the joined heads")
    output = constant(product.inputs[1])
    if output is None or output.ndim != 2 or len(output) != value.bias.size:
        raise Declined("the joined heads are not multiplied by a constant matrix")
    bias, result = with_added_row(product.outputs[0], output.shape[1])
    attention = Attention(
        query=query.weight,
        query_bias=query.bias,
        key=key.weight,
        value=value.weight,
        value_bias=value.bias,
        output=output.astype(np.float64).reshape(*value.bias.shape, -1),
        bias=bias,
    )
    return _Layer(query.tokens, attention, mask, result)


def _query_and_key(scores: ir.Value) -> tuple[Projection, Projection]:
    """Read scores q k^T, or (k q^T)^T as Keras writes them with dropout."""
    swapped = made_by(scores, "Transpose")
    if swapped is not None:
        reason = "the scores are transposed in another way than query and key"
        turned = moved(swapped, (0, 1, 3, 2), reason)
        product = needed(turned.inputs[0], "MatMul", "the transposed scores")
        return (
            read_projection(product.inputs[1], COLUMNS, "the query"),
            read_projection(product.inputs[0], ROWS, "the key"),
        )
    product = needed(scores, "MatMul", "the scores")
    return (
        read_projection(product.inputs[0], ROWS, "the query"),
        read_projection(product.inputs[1], COLUMNS, "the key"),
    )


def _mask(tape: Tape, seen: Seen) -> Mask:
    """Return a mask (batch or 1, 1, W or 1, W) with the heads' axis behind the positions'."""
    if isinstance(seen, np.ndarray):
        four_axes = seen.reshape((1,) * (4 - seen.ndim) + seen.shape)
        return Mask(seen=four_axes.transpose(0, 2, 1, 3).astype(np.float32))
    number = tape.Cast(seen, to=ir.DataType.FLOAT)
    return Mask(seen=tape.Transpose(number, perm=[0, 2, 1, 3]))
