"""Averages of the first block's tokens: averages of features, and of constant positions.

(A x) V + co = (A u) (P V) + A (E V) + co      with x = u P + E, see `projected_tokens`
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from regimetry.export.rules.matching import Declined, input_of, made_by, needed
from regimetry.export.rules.projected_tokens import read_gemm, read_tokens, require_less
from regimetry.export.shapes import Batch, dims
from regimetry.export.tape import Tape


class ProjectedAverages:
    """Anchored at the product of averaged tokens of all heads with a matrix."""

    name = "projected_averages"

    def anchors(self, node: ir.Node) -> bool:
        """Return whether averages of a sum, of all heads, are multiplied by a matrix."""
        joined = made_by(node.inputs[0], "Reshape") if node.op_type == "Gemm" else None
        averages = made_by(joined.inputs[0], "MatMul") if joined else None
        return averages is not None and made_by(averages.inputs[1], "Add") is not None

    def rewrite(self, node: ir.Node, tape: Tape) -> tuple[ir.Value, ir.Value]:
        """Averages of features and of positions, if it saves operations."""
        matrix, shift = read_gemm(node)
        joined = needed(node.inputs[0], "Reshape", "the left side")
        product = needed(joined.inputs[0], "MatMul", "the left side")
        weights, tokens = input_of(product), read_tokens(product.inputs[1])
        window_size, features, size = tokens.sizes
        if len(matrix) % size:
            raise Declined(f"the matrix has {len(matrix)} rows, no multiple of D = {size}")
        heads, columns = len(matrix) // size, matrix.shape[1]
        if dims(weights) != (Batch(1), window_size * heads, window_size):
            raise Declined("the averages are not those of W * H rows over W positions")
        before = window_size * heads * size * (window_size + columns)
        after = window_size * heads * (features * (window_size + columns) + window_size * columns)
        require_less(before, after)

        per_head = matrix.reshape(heads, size, columns)
        positions = tape.Gemm(
            tape.reshape(weights, (Batch(window_size), heads * window_size)),
            np.einsum("wi,hij->hwj", tokens.offset, per_head).reshape(-1, columns),
            shift,
        )
        averages = tape.MatMul(weights, tokens.features)
        return node.outputs[0], tape.Gemm(
            tape.reshape(averages, (Batch(window_size), heads * features)),
            np.einsum("fi,hij->hfj", tokens.projection, per_head).reshape(-1, columns),
            positions,
        )
