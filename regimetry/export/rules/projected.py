"""The first block's attention, through the projection that made its tokens.

The first tokens are x = u P + E: few features u (W, F), a projection P (F, D), and positions and
bias E (W, D). Folded attention then works on F + W numbers a token instead of D, and everything
that meets E alone is a constant:

    x_i M x_j^T + c x_j^T = u_i (P M P^T) u_j^T + g_i P^T u_j^T + u_i (P M E^T)_j + (g E^T)_ij
        g = E M + c  (W, D)
    (A x) V + co          = (A u) (P V) + A (E V) + co

for every head; products in float64, stored as float32. Two rules, since either may pay alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from regimetry.export.rules.matching import (
    Declined,
    attribute,
    constant,
    made_by,
    needed,
    with_constant,
)
from regimetry.export.rules.shapes import Batch, dims
from regimetry.export.rules.sketch import Sketch, is_rows_view


@dataclass(frozen=True, kw_only=True)
class _Tokens:
    """x = features @ projection + offset: (batch, W, F), (F, D), (W, D)."""

    features: ir.Value
    projection: np.ndarray
    offset: np.ndarray

    @property
    def sizes(self) -> tuple[int, int, int]:
        """W, F and D."""
        return len(self.offset), *self.projection.shape


class ProjectedScores:
    """Anchored at the product of folded queries with tokens."""

    name = "projected_scores"

    def anchors(self, node: ir.Node) -> bool:
        """Return whether rows made by a Gemm are multiplied by something transposed."""
        left = made_by(node.inputs[0], "Reshape") if node.op_type == "MatMul" else None
        return (
            left is not None
            and made_by(left.inputs[0], "Gemm") is not None
            and made_by(node.inputs[1], "Transpose") is not None
        )

    def rewrite(self, node: ir.Node, sketch: Sketch) -> tuple[ir.Value, ir.Value]:
        """Scores from features, if it saves operations."""
        turned = needed(node.inputs[1], "Transpose", "the right side")
        if list(attribute(turned, "perm", [])) != [0, 2, 1]:
            raise Declined("the right side is transposed in another way than to columns")
        queries = needed(
            needed(node.inputs[0], "Reshape", "the left side").inputs[0], "Gemm", "the left side"
        )
        matrix, shift = _gemm(queries)
        tokens = turned.inputs[0]
        if not _are_rows_of(queries.inputs[0], tokens):
            raise Declined("the left side is made of other tokens than the right side")
        read = _read_tokens(tokens)
        window_size, features, size = read.sizes
        heads = matrix.shape[1] // size
        before = window_size * heads * size * (size + window_size)
        after = window_size * heads * features * (features + 2 * window_size)
        _require_less(before, after)
        return node.outputs[0], self._scores(sketch, read, matrix, shift, heads)

    def _scores(
        self, sketch: Sketch, tokens: _Tokens, matrix: np.ndarray, shift: np.ndarray, heads: int
    ) -> ir.Value:
        window_size, features, size = tokens.sizes
        per_head = matrix.reshape(size, heads, size)
        fixed = np.einsum("wi,ihj->whj", tokens.offset, per_head) + shift.reshape(heads, size)
        projected = np.einsum("fi,ihj->fhj", tokens.projection, per_head)
        left = self._affine(
            sketch,
            tokens,
            projected @ tokens.projection.T,
            fixed @ tokens.projection.T,
        )
        columns = sketch.op(
            "Transpose",
            tokens.features,
            shape=(Batch(1), features, window_size),
            perm=[0, 2, 1],
        )
        shape = (Batch(1), window_size * heads, window_size)
        scores = sketch.op("MatMul", left, columns, shape=shape)
        rest = self._affine(sketch, tokens, projected @ tokens.offset.T, fixed @ tokens.offset.T)
        return sketch.op("Add", scores, rest)

    def _affine(
        self, sketch: Sketch, tokens: _Tokens, matrix: np.ndarray, offset: np.ndarray
    ) -> ir.Value:
        """Return ``features @ matrix + offset``: (F, H, n) and (W, H, n) give (batch, W * H, n)."""
        window_size, heads, size = offset.shape
        product = sketch.op(
            "Gemm",
            sketch.rows(tokens.features),
            matrix.reshape(-1, heads * size),
            shape=(Batch(window_size), heads * size),
        )
        apart = sketch.reshape(product, (Batch(1), window_size, heads * size))
        moved = sketch.op(
            "Add", apart, offset.reshape(window_size, heads * size), shape=dims(apart)
        )
        return sketch.reshape(moved, (Batch(1), window_size * heads, size))


class ProjectedAverages:
    """Anchored at the product of averaged tokens of all heads with a matrix."""

    name = "projected_averages"

    def anchors(self, node: ir.Node) -> bool:
        """Return whether averages of a sum, of all heads, are multiplied by a matrix."""
        joined = made_by(node.inputs[0], "Reshape") if node.op_type == "Gemm" else None
        averages = made_by(joined.inputs[0], "MatMul") if joined else None
        return averages is not None and made_by(averages.inputs[1], "Add") is not None

    def rewrite(self, node: ir.Node, sketch: Sketch) -> tuple[ir.Value, ir.Value]:
        """Averages of features and of positions, if it saves operations."""
        matrix, shift = _gemm(node)
        averages = needed(
            needed(node.inputs[0], "Reshape", "the left side").inputs[0], "MatMul", "the left side"
        )
        weights, averaged = averages.inputs
        assert weights is not None
        tokens = _read_tokens(averaged)
        window_size, features, size = tokens.sizes
        if len(matrix) % size:
            raise Declined(f"the matrix has {len(matrix)} rows, no multiple of D = {size}")
        heads, columns = len(matrix) // size, matrix.shape[1]
        if dims(weights) != (Batch(1), window_size * heads, window_size):
            raise Declined("the averages are not those of W * H rows over W positions")
        before = window_size * heads * size * (window_size + columns)
        after = window_size * heads * (features * (window_size + columns) + window_size * columns)
        _require_less(before, after)
        per_head = matrix.reshape(heads, size, columns)
        positions = sketch.op(
            "Gemm",
            sketch.reshape(weights, (Batch(window_size), heads * window_size)),
            np.einsum("wi,hij->hwj", tokens.offset, per_head).reshape(-1, columns),
            shift,
            shape=(Batch(window_size), columns),
        )
        features_of = sketch.op(
            "MatMul",
            weights,
            tokens.features,
            shape=(Batch(1), window_size * heads, features),
        )
        projected = np.einsum("fi,hij->hfj", tokens.projection, per_head).reshape(-1, columns)
        rows = sketch.reshape(features_of, (Batch(window_size), heads * features))
        return node.outputs[0], sketch.op("Gemm", rows, projected, positions)


def _require_less(before: int, after: int) -> None:
    if after >= before:
        raise Declined(f"it would take {after} multiply-accumulates a window instead of {before}")


def _gemm(node: ir.Node) -> tuple[np.ndarray, np.ndarray]:
    """Return matrix and bias of a plain Gemm with constants."""
    if any(attribute(node, name, 0) for name in ("transA", "transB")):
        raise Declined("the Gemm transposes")
    matrix = constant(node.inputs[1])
    if matrix is None or matrix.ndim != 2:
        raise Declined("the Gemm's matrix is no constant")
    bias = constant(node.inputs[2]) if len(node.inputs) > 2 else np.zeros(matrix.shape[1])
    if bias is None or bias.shape != matrix.shape[1:]:
        raise Declined("the Gemm's bias is no constant row")
    return matrix.astype(np.float64), bias.astype(np.float64)


def _are_rows_of(rows: ir.Value | None, tokens: ir.Value | None) -> bool:
    node = made_by(rows, "Reshape")
    return tokens is not None and node is not None and node.inputs[0] is tokens


def _read_tokens(value: ir.Value | None) -> _Tokens:
    """Read x = u P + E; decline if the tokens are made in another way."""
    added = needed(value, "Add", "a token")
    view, offset = with_constant(added)
    shape = dims(value)
    if shape is None or len(shape) != 3 or not all(isinstance(size, int) for size in shape[1:]):
        raise Declined("the tokens have no known (batch, W, D) shape")
    if offset.size != np.prod(offset.shape[-2:]) or offset.shape[-2:] != shape[1:]:
        raise Declined(f"the positions have shape {offset.shape}, expected one row a position")
    if not is_rows_view(view):
        raise Declined("the tokens are no projection of features")
    product = needed(needed(view, "Reshape", "a token").inputs[0], "Gemm", "a token")
    projection, bias = _gemm(product)
    flat = needed(product.inputs[0], "Reshape", "the features' rows")
    features = flat.inputs[0]
    if features is None or dims(features) != (*shape[:2], len(projection)):
        raise Declined("the projected features are not (batch, W, F)")
    return _Tokens(
        features=features,
        projection=projection,
        offset=offset.astype(np.float64).reshape(offset.shape[-2:]) + bias,
    )
