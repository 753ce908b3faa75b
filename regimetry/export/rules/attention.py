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
    made_by,
    needed,
    with_added_row,
)
from regimetry.export.rules.projections import COLUMNS, ROWS, Projection, read_projection
from regimetry.export.rules.shapes import Batch, Dim, dims
from regimetry.export.rules.sketch import Sketch


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

    def rewrite(self, node: ir.Node, sketch: Sketch) -> tuple[ir.Value, ir.Value]:
        """Fold, if it saves operations."""
        layer = _read(node)
        tokens = layer.query.tokens
        shape = dims(tokens)
        if shape is None or not all(isinstance(size, int) for size in shape[1:]):
            raise Declined("the tokens have no known (batch, W, D) shape")
        window_size, size = int(str(shape[1])), int(str(shape[2]))
        heads, head_size = layer.query.bias.shape
        plain, folded = attention_operations(window_size, size, head_size, heads)
        if folded >= plain:
            raise Declined(
                f"folding would take {folded} multiply-accumulates a window instead of {plain}, "
                f"with D = {size} and heads of {head_size}"
            )
        weights = _weights(sketch, layer, window_size, size)
        averages = sketch.op("MatMul", weights, tokens, shape=(Batch(1), window_size * heads, size))
        averages = sketch.reshape(averages, (Batch(window_size), heads * size))
        return layer.result, _output(sketch, layer, averages, shape)


def _read(node: ir.Node) -> _Layer:
    """Read the layer around a softmax; decline at the first thing that does not fit."""
    if attribute(node, "axis", -1) not in (-1, 3):
        raise Declined("the softmax is not over the last axis")
    assert node.inputs[0] is not None
    scores, mask = unmasked_scores(node.inputs[0])
    query, key = _query_and_key(scores)
    weights = masked_weights(node.outputs[0], mask)
    averages = consumer(weights, "MatMul", "the weights")
    value = read_projection(averages.inputs[1], ROWS, "the value")
    if not query.tokens is key.tokens is value.tokens:
        raise Declined("query, key and value read different tokens: no self-attention")
    moved = consumer(averages.outputs[0], "Transpose", "the averages")
    if tuple(attribute(moved, "perm", ())) != ROWS:
        raise Declined("the averages' heads are not moved back behind the positions")
    joined = consumer(moved.outputs[0], "Reshape", "the moved averages")
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
        if tuple(attribute(swapped, "perm", ())) != (0, 1, 3, 2):
            raise Declined("the scores are transposed in another way than query and key")
        product = needed(swapped.inputs[0], "MatMul", "the transposed scores")
        return (
            read_projection(product.inputs[1], COLUMNS, "the query"),
            read_projection(product.inputs[0], ROWS, "the key"),
        )
    product = needed(scores, "MatMul", "the scores")
    return (
        read_projection(product.inputs[0], ROWS, "the query"),
        read_projection(product.inputs[1], COLUMNS, "the key"),
    )


def _weights(sketch: Sketch, layer: _Layer, window_size: int, size: int) -> ir.Value:
    """Softmax of the scores, (batch, W * H, W)."""
    heads = len(layer.query.bias)
    tokens = layer.query.tokens
    matrix = np.einsum("ihd,jhd->ihj", layer.query.weight, layer.key.weight)
    shift = np.einsum("hd,jhd->hj", layer.query.bias, layer.key.weight)
    rows = sketch.rows(tokens)
    product = sketch.op(
        "Gemm",
        rows,
        matrix.reshape(size, heads * size),
        shift.reshape(heads * size),
        shape=(Batch(window_size), heads * size),
    )
    left = sketch.reshape(product, (Batch(1), window_size * heads, size))
    right = sketch.op("Transpose", tokens, shape=(Batch(1), size, window_size), perm=[0, 2, 1])
    flat = (Batch(1), window_size * heads, window_size)
    scores = sketch.op("MatMul", left, right, shape=flat)
    if layer.mask is None:
        return sketch.op("Softmax", scores, shape=flat, axis=-1)
    return _masked_weights(sketch, layer.mask, scores, heads)


def _masked_weights(sketch: Sketch, mask: Mask, scores: ir.Value, heads: int) -> ir.Value:
    """Mask scores (batch, W, H, W), where the mask is (batch or 1, W or 1, 1, W)."""
    flat = dims(scores)
    assert flat is not None
    apart = (flat[0], flat[2], heads, flat[2])
    scores = sketch.reshape(scores, apart)
    if isinstance(mask.seen, np.ndarray):
        moved: np.ndarray | ir.Value = four_axes(mask.seen).transpose(0, 2, 1, 3)
    else:
        moved = sketch.op("Transpose", mask.seen, perm=[0, 2, 1, 3])
    if isinstance(moved, np.ndarray) and mask.leaves_a_key:
        shift = np.where(moved, 0.0, LOW)
        weights = sketch.op("Softmax", sketch.op("Add", scores, shift), shape=apart, axis=-1)
        return sketch.reshape(weights, flat)
    hidden = sketch.op("Where", moved, scores, np.array(LOW))
    weights = sketch.op("Softmax", hidden, axis=-1)
    weights = sketch.op("Where", moved, weights, np.array(0.0), shape=apart)
    return sketch.reshape(weights, flat)


def _output(sketch: Sketch, layer: _Layer, averages: ir.Value, like: tuple[Dim, ...]) -> ir.Value:
    """Put the averages of all heads through values and output: (batch, W, D)."""
    matrix = np.einsum("ihd,hdo->hio", layer.value.weight, layer.output)
    matrix = matrix.reshape(-1, matrix.shape[-1])
    value_bias = np.einsum("hd,hdo->o", layer.value.bias, layer.output)
    shape = ((dims(averages) or (Batch(1),))[0], matrix.shape[-1])
    if layer.mask is None or layer.mask.leaves_a_key:
        rows = sketch.op("Gemm", averages, matrix, layer.bias + value_bias, shape=shape)
        return sketch.windows(rows, like)
    rows = sketch.op("Gemm", averages, matrix, layer.bias, shape=shape)
    share = _sees_a_key(sketch, layer.mask)
    return sketch.op("Add", sketch.windows(rows, like), sketch.op("Mul", share, value_bias))


def _sees_a_key(sketch: Sketch, mask: Mask) -> ir.Value | np.ndarray:
    """Return 1 for every row that sees a key, 0 for the others: (batch or 1, W or 1, 1)."""
    if isinstance(mask.seen, np.ndarray):
        return np.any(four_axes(mask.seen), axis=(1, 3))[..., None].astype(np.float32)
    keys = sketch.op("Cast", mask.seen, to=ir.DataType.FLOAT)
    count = sketch.op("ReduceSum", keys, np.array([-1]), keepdims=1)
    return sketch.op("Squeeze", sketch.op("Min", count, np.array(1.0)), np.array([1]))
