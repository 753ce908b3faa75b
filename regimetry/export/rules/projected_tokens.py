"""The first block's attention, through the projection that made its tokens.

The first tokens are x = u P + E: few features u (W, F), a projection P (F, D), and positions and
bias E (W, D). Folded attention then works on F + W numbers per token instead of D, and everything
that meets E alone is a constant:

    x_i M x_j^T + c x_j^T = u_i (P M P^T) u_j^T + g_i P^T u_j^T + u_i (P M E^T)_j + (g E^T)_ij
        g = E M + c  (W, D)
    (A x) V + co          = (A u) (P V) + A (E V) + co

for every head; products in float64, stored as float32. Two rules, `projected_scores` and
`projected_averages`, since either may pay alone; here is what both read from the graph.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from regimetry.export.rules.matching import (
    Declined,
    attribute,
    constant,
    needed,
    sizes_of,
    with_constant,
)
from regimetry.export.rules.views import is_rows_view


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """x = features @ projection + offset: (batch, W, F), (F, D), (W, D)."""

    features: ir.Value
    projection: np.ndarray
    offset: np.ndarray

    @property
    def sizes(self) -> tuple[int, int, int]:
        """W, F and D."""
        return len(self.offset), *self.projection.shape


def read_tokens(value: ir.Value | None) -> Tokens:
    """Read x = u P + E; decline if the tokens are made in another way."""
    added = needed(value, "Add", "a token")
    view, offset = with_constant(added)
    sizes = sizes_of(value, "the tokens have")
    if offset.size != np.prod(offset.shape[-2:]) or offset.shape[-2:] != sizes:
        raise Declined(f"the positions have shape {offset.shape}, expected one row a position")
    if not is_rows_view(view):
        raise Declined("the tokens are no projection of features")
    product = needed(needed(view, "Reshape", "a token").inputs[0], "Gemm", "a token")
    projection, bias = read_gemm(product)
    features = needed(product.inputs[0], "Reshape", "the features' rows").inputs[0]
    if features is None or sizes_of(features, "the features have") != (sizes[0], len(projection)):
        raise Declined("the projected features are not (batch, W, F)")
    return Tokens(
        features=features,
        projection=projection,
        offset=offset.astype(np.float64).reshape(offset.shape[-2:]) + bias,
    )


def read_gemm(node: ir.Node) -> tuple[np.ndarray, np.ndarray]:
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


def require_less(before: int, after: int) -> None:
    """Decline unless a rewrite saves multiply-accumulates."""
    if after >= before:
        raise Declined(f"it would take {after} multiply-accumulates a window instead of {before}")
