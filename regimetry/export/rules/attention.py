"""Self-attention with its projections multiplied out.

Per head h, with s = 1/sqrt(d) and tokens x (W, D):

    scores_ij = s (x_i Wq + bq) (x_j Wk + bk)^T = x_i M_h x_j^T + c_h x_j^T + (the same for all j)
        M_h = s Wq_h Wk_h^T  (D, D)      c_h = s bq_h Wk_h^T  (D,)
    output    = sum_h A_h (x Wv_h + bv_h) Wo_h + bo = sum_h (A_h x) (Wv_h Wo_h) + co
        co  = bo + sum_h bv_h Wo_h

The softmax over j ignores what is the same for all j, and the rows of A_h sum to 1. A row that
sees no key has weights of 0 instead: there the bias of the values does not reach the output.

Rows are ordered (position, head), so that no transpose of heads is needed. Products are taken in
float64 and stored as float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from regimetry.export.rules.cost import attention_operations
from regimetry.export.rules.masks import (
    LOW,
    Mask,
    four_axes,
    masked_weights,
    unmasked_scores,
)
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
from regimetry.export.shapes import Batch, dims
from regimetry.export.tape import Tape


@dataclass(frozen=True, kw_only=True)
class _Layer:
    """One attention layer: ``output`` weight (H, d, D_out), bias (D_out,)."""

    query: Projection
    key: Projection
    value: Projection
    mask: Mask | None
    output: np.ndarray
    bias: np.ndarray
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
        tokens = layer.query.tokens
        window_size, size = sizes_of(tokens, "the tokens have")
        heads, head_size = layer.query.bias.shape
        plain, folded = attention_operations(window_size, size, head_size, heads)
        if folded >= plain:
            raise Declined(
                f"folding would take {folded} multiply-accumulates a window instead of {plain}, "
                f"with D = {size} and heads of {head_size}"
            )
        weights = _weights(tape, layer, window_size, size)
        averages = tape.reshape(tape.MatMul(weights, tokens), (Batch(window_size), heads * size))
        return layer.result, _output(tape, layer, averages)


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
    return _Layer(
        query=query,
        key=key,
        value=value,
        mask=mask,
        output=output.astype(np.float64).reshape(*value.bias.shape, -1),
        bias=bias,
        result=result,
    )


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


def _weights(tape: Tape, layer: _Layer, window_size: int, size: int) -> ir.Value:
    """Softmax of the scores, (batch, W * H, W)."""
    heads = len(layer.query.bias)
    tokens = layer.query.tokens
    matrix = np.einsum("ihd,jhd->ihj", layer.query.weight, layer.key.weight)
    shift = np.einsum("hd,jhd->hj", layer.query.bias, layer.key.weight)
    queries = tape.Gemm(
        as_rows(tape, tokens),
        matrix.reshape(size, heads * size),
        shift.reshape(heads * size),
    )
    left = tape.reshape(queries, (Batch(1), window_size * heads, size))
    scores = tape.MatMul(left, tape.Transpose(tokens, perm=[0, 2, 1]))
    if layer.mask is None:
        return tape.Softmax(scores, axis=-1)
    return _masked_weights(tape, layer.mask, scores, heads)


def _masked_weights(tape: Tape, mask: Mask, scores: ir.Value, heads: int) -> ir.Value:
    """Mask scores (batch, W, H, W), where the mask is (batch or 1, W or 1, 1, W)."""
    flat = dims(scores)
    assert flat is not None
    apart = (flat[0], flat[2], heads, flat[2])
    scores = tape.reshape(scores, apart)
    if not isinstance(mask.seen, np.ndarray):
        seen: np.ndarray | ir.Value = tape.Transpose(mask.seen, perm=[0, 2, 1, 3])
    else:
        seen = four_axes(mask.seen).transpose(0, 2, 1, 3)
        if mask.leaves_a_key:
            shifted = tape.Add(scores, np.where(seen, 0.0, LOW))
            return tape.reshape(tape.Softmax(shifted, axis=-1), flat)
    weights = tape.Softmax(tape.Where(seen, scores, LOW), axis=-1)
    return tape.reshape(tape.Where(seen, weights, 0.0), flat)


def _output(tape: Tape, layer: _Layer, averages: ir.Value) -> ir.Value:
    """Put the averages of all heads through values and output: (batch, W, D)."""
    matrix = np.einsum("ihd,hdo->hio", layer.value.weight, layer.output)
    matrix = matrix.reshape(-1, matrix.shape[-1])
    value_bias = np.einsum("hd,hdo->o", layer.value.bias, layer.output)
    if layer.mask is None or layer.mask.leaves_a_key:
        rows = tape.Gemm(averages, matrix, layer.bias + value_bias)
        return as_windows(tape, rows, layer.query.tokens)
    windows = as_windows(tape, tape.Gemm(averages, matrix, layer.bias), layer.query.tokens)
    return tape.Add(windows, tape.Mul(_sees_a_key(tape, layer.mask), value_bias))


def _sees_a_key(tape: Tape, mask: Mask) -> ir.Value | np.ndarray:
    """Return 1 for every row that sees a key, 0 for the others: (batch or 1, W or 1, 1)."""
    if isinstance(mask.seen, np.ndarray):
        return np.any(four_axes(mask.seen), axis=(1, 3))[..., None].astype(np.float32)
    count = tape.ReduceSum(tape.Cast(mask.seen, to=ir.DataType.FLOAT), [-1], keepdims=1)
    return tape.Squeeze(tape.Min(count, 1.0), [1])
