"""The content of a graph: nodes, operators, parameters, bytes, work."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass

import onnx
import onnx_ir as ir
from onnx import TensorProto

from regimetry.errors import ExportError
from regimetry.export.rules.cost import cost_of
from regimetry.export.shapes import annotate


@dataclass(frozen=True, kw_only=True)
class GraphStatistics:
    """Figures of one graph.

    Attributes
    ----------
    nodes : int
    operators : dict of str to int
        Nodes of each operator, the most frequent first.
    parameters : int
        Floating-point constants.
    bytes : int
        Of the file.
    multiply_accumulates : int or None
        Of the matrix products and convolutions for one window; ``None`` for the series form,
        whose work depends on the rows it is given.
    opset, ir_version : int
    domains : tuple of str
        Operator domains; ``""`` is ONNX's own.
    """

    nodes: int
    operators: dict[str, int]
    parameters: int
    bytes: int
    multiply_accumulates: int | None
    opset: int
    ir_version: int
    domains: tuple[str, ...]


_FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.DOUBLE)


def graph_statistics(model: onnx.ModelProto) -> GraphStatistics:
    """Count what a graph consists of."""
    graph = model.graph
    operators = Counter(node.op_type for node in graph.node)
    return GraphStatistics(
        nodes=len(graph.node),
        operators=dict(sorted(operators.items(), key=lambda item: (-item[1], item[0]))),
        parameters=sum(
            math.prod(tensor.dims) for tensor in graph.initializer if tensor.data_type in _FLOATS
        ),
        bytes=model.ByteSize(),
        multiply_accumulates=multiply_accumulates(model),
        opset=max(entry.version for entry in model.opset_import if entry.domain == ""),
        ir_version=model.ir_version,
        domains=tuple(sorted({node.domain for node in graph.node})),
    )


def multiply_accumulates(model: onnx.ModelProto) -> int | None:
    """Return the multiply-accumulates of one window, as the rewrite rules count them.

    ``None`` if the shapes do not tell: those of the series form depend on the rows it is given.
    """
    rewritten = ir.from_proto(model)
    try:
        annotate(rewritten)
    except ExportError:
        return None
    return cost_of(rewritten.graph).operations
