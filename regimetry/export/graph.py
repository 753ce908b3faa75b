"""A graph under construction: nodes and constants with unique names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper


class GraphBuilder:
    """Collects nodes in order; each value is known by its name."""

    def __init__(self, opset: int = 17) -> None:
        self.opset = opset
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add an initializer; floats are stored as float32."""
        array = np.asarray(value)
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
        self.constants.append(numpy_helper.from_array(np.asarray(array, order="C"), name))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        self.nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def reduce(self, operator: str, value: str, output: str, axis: int, *, keepdims: bool) -> str:
        """Add a reduction over one axis, an attribute until opset 17 and an input from 18 on."""
        keep = int(keepdims)
        if self.opset < 18:
            return self.node(operator, [value], output, axes=[axis], keepdims=keep)
        axes = self.constant(f"{output}_axis", np.array([axis]))
        return self.node(operator, [value, axes], output, keepdims=keep)

    def inline(self, graph: onnx.GraphProto, value: str, output: str, prefix: str) -> str:
        """Add a graph of one input and one output, fed by ``value``; return ``output``.

        Nodes come in the order in which the output asks for them, and everything gets a new name
        under ``prefix``, numbered in that order: tf2onnx's own order and names differ from process
        to process, and equal fits shall give equal files.
        """
        names = {graph.input[0].name: value, graph.output[0].name: output, "": ""}
        tensors = {tensor.name: tensor for tensor in graph.initializer}
        for number, node in enumerate(_in_order_of_need(graph)):
            inlined = onnx.NodeProto()
            inlined.CopyFrom(node)
            inlined.name = f"{prefix}{number}_{node.op_type}"
            for name in node.input:
                if name in tensors and name not in names:
                    names[name] = f"{prefix}constant_{len(names)}"
                    constant = onnx.TensorProto()
                    constant.CopyFrom(tensors[name])
                    constant.name = names[name]
                    self.constants.append(constant)
            for name in node.output:
                names.setdefault(name, f"{inlined.name}:{len(names)}")
            inlined.input[:] = [names[name] for name in node.input]
            inlined.output[:] = [names[name] for name in node.output]
            self.nodes.append(inlined)
        return output


def _in_order_of_need(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    """Return the nodes that the output needs, each after the nodes it needs itself."""
    maker = {name: node for node in graph.node for name in node.output}
    ordered: dict[str, onnx.NodeProto] = {}
    pending = [graph.output[0].name]
    while pending:
        node = maker.get(pending[-1])
        missing = [
            name
            for name in (node.input if node else ())
            if name in maker and maker[name].output[0] not in ordered
        ]
        if missing:
            pending.append(missing[0])
            continue
        pending.pop()
        if node is not None:
            ordered.setdefault(node.output[0], node)
    return list(ordered.values())
