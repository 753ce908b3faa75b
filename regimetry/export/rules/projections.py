"""Queries, keys and values of an attention layer, read back from the graph.

A projection x W + b of tokens (batch, W, D) to H heads of size d, its heads moved in front:

    MatMul -> Reshape (batch, W, H, d) -> Add -> Mul by a number -> Transpose
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from regimetry.export.rules.matching import (
    Declined,
    attribute,
    constant,
    moved,
    needed,
    scalar,
    sizes_of,
    with_constant,
)

ROWS = (0, 2, 1, 3)
"""The axes (batch, W, H, d) as (batch, H, W, d): one row a token."""

COLUMNS = (0, 2, 3, 1)
"""The same as (batch, H, d, W): one column a token."""


@dataclass(frozen=True, kw_only=True)
class Projection:
    """``tokens @ weight[:, h] + bias[h]`` for every head h; weight (D, H, d), bias (H, d)."""

    tokens: ir.Value
    weight: np.ndarray
    bias: np.ndarray


def read_projection(value: ir.Value | None, axes: tuple[int, ...], what: str) -> Projection:
    """Read a projection whose axes are moved to ``axes``; decline if it is something else."""
    transpose = needed(value, "Transpose", what)
    moved(transpose, axes, f"{what} has its axes moved to {attribute(transpose, 'perm', ())}")
    source, scale, bias = transpose.inputs[0], 1.0, np.zeros(1)
    _, heads, size = sizes_of(source, f"{what} has", "W, H, d")
    while (node := source.producer() if source else None) and node.op_type in ("Mul", "Add"):
        source, array = with_constant(node)
        if node.op_type == "Mul":
            factor = scalar(array)
            if factor is None:
                raise Declined(f"{what} is scaled by an array, expected a number")
            scale *= factor
        elif array.ndim > 2 and array.shape[:-2].count(1) != array.ndim - 2:
            raise Declined(f"{what} has a bias for each position")
        else:
            bias = bias + scale * array.astype(np.float64)
    product = needed(needed(source, "Reshape", what).inputs[0], "MatMul", what)
    tokens, weight = product.inputs[0], constant(product.inputs[1])
    if tokens is None or weight is None or weight.ndim != 2:
        raise Declined(f"{what} is no product with a constant matrix")
    return Projection(
        tokens=tokens,
        weight=scale * weight.astype(np.float64).reshape(-1, heads, size),
        bias=np.broadcast_to(bias, np.broadcast_shapes(np.shape(bias), (heads, size))).reshape(
            heads, size
        ),
    )
