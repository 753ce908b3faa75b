"""The cost of a graph: nodes, multiply-accumulates per window, bytes of constants."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import onnx_ir as ir

from regimetry.export.rules.matching import attribute
from regimetry.export.shapes import Batch, dims, entries


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


def _operations(node: ir.Node) -> int:
    """Multiply-accumulates that one window adds; none where the batch is no dimension."""
    result, shapes = dims(node.outputs[0]), [dims(value) or (0, 0) for value in node.inputs]
    if result is None or not any(isinstance(size, Batch) for size in result):
        return 0
    if node.op_type == "MatMul":
        summed = shapes[0][-1:]
    elif node.op_type == "Gemm":
        axis = 0 if attribute(node, "transA", 0) else 1
        summed = shapes[0][axis : axis + 1]
    elif node.op_type == "Conv":
        summed = shapes[1][1:]
    else:
        return 0
    return prod(entries(size) for size in (*result, *summed))
