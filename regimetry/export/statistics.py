"""What a graph consists of: nodes, operators, parameters, bytes, work."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import onnx
from onnx import TensorProto, shape_inference

from regimetry.contract import SERIES_INPUT_NAME


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
        Of the products (MatMul, Gemm, Conv, Einsum) for one window; ``None`` if a shape is not
        known before the graph runs.
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
    """Return the multiply-accumulates of one window, or ``None`` if a shape is not known.

    Of the series form, one window is a series of W rows.
    """
    one = onnx.ModelProto()
    one.CopyFrom(model)
    for value in one.graph.input:
        _fix_first(value, one)
    del one.graph.value_info[:]  # inferred again, with the batch known
    for value in one.graph.output:
        value.type.tensor_type.shape.dim[0].Clear()
    graph = shape_inference.infer_shapes(one, data_prop=True).graph
    shapes = {
        value.name: [entry.dim_value for entry in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.value_info, *graph.output)
    }
    shapes |= {tensor.name: list(tensor.dims) for tensor in graph.initializer}
    total = 0
    for node in graph.node:
        work = _work(node, shapes)
        if work is None:
            return None
        total += work
    return total


def _fix_first(value: onnx.ValueInfoProto, model: onnx.ModelProto) -> None:
    """Set the batch of a window graph to 1, the rows of a series graph to those of one window."""
    from regimetry.contract import ModelContract

    rows = 1
    if value.name == SERIES_INPUT_NAME:
        metadata = {entry.key: entry.value for entry in model.metadata_props}
        rows = ModelContract.from_metadata(metadata, "the graph").window_rows
    value.type.tensor_type.shape.dim[0].dim_value = rows


def _work(node: onnx.NodeProto, shapes: Mapping[str, Sequence[int]]) -> int | None:
    """Multiply-accumulates of one node; 0 unless it is a product."""
    if node.op_type not in ("MatMul", "Gemm", "Conv", "Einsum"):
        return 0
    known = [list(shapes.get(name, ())) for name in (*node.input[:2], node.output[0])]
    if not all(shape and all(shape) for shape in known):
        return None
    left, right, result = known
    if node.op_type == "Einsum":
        equation = onnx.helper.get_node_attr_value(node, "equation").decode().replace(" ", "")
        terms = equation.partition("->")[0].split(",")
        sizes = {
            letter: size
            for term, shape in zip(terms, known, strict=False)
            for letter, size in zip(term, shape, strict=True)
        }
        return math.prod(sizes.values())
    if node.op_type == "Conv":
        return math.prod(result) * math.prod(right[1:])
    transposed = node.op_type == "Gemm" and any(a.name == "transA" and a.i for a in node.attribute)
    return math.prod(result) * left[-2 if transposed else -1]
