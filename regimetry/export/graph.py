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

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """Add an initializer; floats are stored as float32."""
        array = np.asarray(value)
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def node(self, operator: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node with one output and return the output's name."""
        self.nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def inline(self, graph: onnx.GraphProto, value: str, output: str, prefix: str) -> str:
        """Add a graph of one input and one output, fed by ``value``; return ``output``.

        All other names get the prefix, so that they cannot meet names of this graph.
        """
        renamed = {graph.input[0].name: value, graph.output[0].name: output, "": ""}

        def name_of(name: str) -> str:
            return renamed.setdefault(name, prefix + name)

        for tensor in graph.initializer:
            copy = onnx.TensorProto()
            copy.CopyFrom(tensor)
            copy.name = name_of(tensor.name)
            self.constants.append(copy)
        for node in graph.node:
            inlined = onnx.NodeProto()
            inlined.CopyFrom(node)
            inlined.name = prefix + node.name
            inlined.input[:] = [name_of(name) for name in node.input]
            inlined.output[:] = [name_of(name) for name in node.output]
            self.nodes.append(inlined)
        return output
