"""What a graph costs: nodes, multiply-accumulates a window, bytes of constants."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import onnx_ir as ir

from regimetry.export.rules.matching import attribute
from regimetry.export.shapes import Batch, Shape, dims, entries


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a whole graph; ``operations`` are those of matrix products and convolutions."""

    nodes: int
    operations: int
    bytes: int


def cost_of(graph: ir.Graph) -> Cost:
    """Add up a graph whose values are annotated."""
    return Cost(
        nodes=graph.num_nodes(),
        operations=sum(_operations(node) for node in graph),
        bytes=sum(v.const_value.nbytes for v in graph.initializers.values() if v.const_value),
    )


def attention_operations(
    window_size: int, token_size: int, head_size: int, heads: int
) -> tuple[int, int]:
    """Multiply-accumulates of one attention layer on one window, with and without folding.

    With projections: four products of W tokens of D with H * head_size columns, scores and
    averages over head_size. Folded: two products with H * D columns, scores and averages over D.
    """
    pairs = 2 * window_size**2 * heads
    plain = 4 * window_size * token_size * heads * head_size + pairs * head_size
    folded = 2 * window_size * token_size * heads * token_size + pairs * token_size
    return plain, folded


def _operations(node: ir.Node) -> int:
    result = dims(node.outputs[0])
    if result is None:
        return 0
    if node.op_type == "MatMul":
        return _a_window(result) * entries((dims(node.inputs[0]) or (0,))[-1])
    if node.op_type == "Gemm":
        axis = 0 if attribute(node, "transA", 0) else 1
        return _a_window(result) * entries((dims(node.inputs[0]) or (0, 0))[axis])
    if node.op_type == "Conv":
        return _a_window(result) * prod(
            entries(size) for size in (dims(node.inputs[1]) or (0,))[1:]
        )
    return 0


def _a_window(shape: Shape) -> int:
    """Entries that one window adds; none where the batch is no dimension."""
    if not any(isinstance(size, Batch) for size in shape):
        return 0
    return prod(entries(size) for size in shape)
