"""Scores of the first block's tokens, from the features behind them.

x_i M x_j^T + c x_j^T = u_i (P M P^T) u_j^T + g_i P^T u_j^T + u_i (P M E^T)_j + (g E^T)_ij
    g = E M + c  (W, D)                        with x = u P + E, see `projected_tokens`
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from regimetry.export.rules.matching import Declined, made_by, moved, needed
from regimetry.export.rules.projected_tokens import Tokens, read_gemm, read_tokens, require_less
from regimetry.export.rules.views import as_rows
from regimetry.export.shapes import Batch
from regimetry.export.tape import Tape


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

    def rewrite(self, node: ir.Node, tape: Tape) -> tuple[ir.Value, ir.Value]:
        """Scores from features, if it saves operations."""
        turned = moved(
            needed(node.inputs[1], "Transpose", "the right side"),
            (0, 2, 1),
            "the right side is transposed in another way than to columns",
        )
        left = needed(node.inputs[0], "Reshape", "the left side")
        queries = needed(left.inputs[0], "Gemm", "the left side")
        matrix, shift = read_gemm(queries)
        tokens = turned.inputs[0]
        rows = made_by(queries.inputs[0], "Reshape")
        if tokens is None or rows is None or rows.inputs[0] is not tokens:
            raise Declined("the left side is made of other tokens than the right side")
        read = read_tokens(tokens)
        window_size, features, size = read.sizes
        heads = matrix.shape[1] // size
        before = window_size * heads * size * (size + window_size)
        after = window_size * heads * features * (features + 2 * window_size)
        require_less(before, after)
        return node.outputs[0], _scores(tape, read, matrix.reshape(size, heads, size), shift)


def _scores(tape: Tape, tokens: Tokens, matrix: np.ndarray, shift: np.ndarray) -> ir.Value:
    """``x M x^T + c x^T`` (batch, W * H, W), from matrix M (D, H, D) and shift c (H D,)."""
    fixed = np.einsum("wi,ihj->whj", tokens.offset, matrix) + shift.reshape(matrix.shape[1:])
    moving = np.einsum("fi,ihj->fhj", tokens.projection, matrix)
    left = _affine(tape, tokens, moving @ tokens.projection.T, fixed @ tokens.projection.T)
    scores = tape.MatMul(left, tape.Transpose(tokens.features, perm=[0, 2, 1]))
    rest = _affine(tape, tokens, moving @ tokens.offset.T, fixed @ tokens.offset.T)
    return tape.Add(scores, rest)


def _affine(tape: Tape, tokens: Tokens, matrix: np.ndarray, offset: np.ndarray) -> ir.Value:
    """``features @ matrix + offset``: (F, H, n) and (W, H, n) give (batch, W * H, n)."""
    window_size, heads, size = offset.shape
    rows = as_rows(tape, tokens.features)
    product = tape.Gemm(rows, matrix.reshape(-1, heads * size))
    apart = tape.reshape(product, (Batch(1), window_size, heads * size))
    moved = tape.Add(apart, offset.reshape(window_size, heads * size))
    return tape.reshape(moved, (Batch(1), window_size * heads, size))
