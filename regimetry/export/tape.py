"""How graphs are written: as expressions that read like the equal numpy code.

tape.Sqrt(tape.Add(tape.reduce("ReduceMean", tape.Mul(x, x), 1), 1e-3))
np.sqrt((x * x).mean(axis=1, keepdims=True) + 1e-3)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from regimetry.export.opset import OPSET
from regimetry.export.shapes import Dim, dims, shape_of


@dataclass(frozen=True)
class Tape:
    """Records nodes and constants that are in no graph yet, in the order of their making.

    Every ONNX operator is a method, which takes values and returns the node's first output. Numbers
    and arrays among its inputs become constants, floats of them float32. Names come from the order,
    so that equal expressions give equal graphs.

    Attributes
    ----------
    prefix : str
        Of every name.
    opset : {17, 18}
    nodes : list of Node
    constants : list of Value
    """

    prefix: str = ""
    opset: int = OPSET
    nodes: list[ir.Node] = field(default_factory=list)
    constants: list[ir.Value] = field(default_factory=list)

    def part(self, prefix: str) -> Tape:
        """Return a view of the same tape that names what it records after a part of the graph."""
        return replace(self, prefix=prefix)

    def __getattr__(self, operator: str) -> Callable[..., ir.Value]:
        """Return the method of an operator; ``outputs``, if more than one, is their number."""
        if not operator[:1].isupper():
            raise AttributeError(f"{operator!r} is no operator of ONNX")
        return partial(self._record, operator)

    def reduce(
        self, operator: str, value: ir.Value, axis: int, *, keepdims: bool = True
    ) -> ir.Value:
        """Reduce over one axis: an attribute until opset 17, but for ReduceSum; then an input."""
        if self.opset < 18 and operator != "ReduceSum":
            return self._record(operator, value, axes=[axis], keepdims=int(keepdims))
        return self._record(operator, value, [axis], keepdims=int(keepdims))

    def reshape(self, value: ir.Value, shape: tuple[Dim, ...]) -> ir.Value:
        """Reshape to a shape whose first dimension alone may depend on the batch, if it differs."""
        if dims(value) == shape:
            return value
        sizes = [size if isinstance(size, int) else -1 for size in shape]
        reshaped = self._record("Reshape", value, sizes)
        reshaped.meta["dims"] = shape
        return reshaped

    def split(self, value: ir.Value, sizes: Sequence[int]) -> tuple[ir.Value, ...]:
        """Split the last axis of windows (batch, W, D) into parts of so many columns."""
        self._record("Split", value, sizes, axis=2, outputs=len(sizes))
        return tuple(self.nodes[-1].outputs)

    def again(self, node: ir.Node, *inputs: Any) -> ir.Value:
        """Record a node's operator, with its attributes, on other inputs."""
        attributes = {name: item.value for name, item in node.attributes.items()}
        return self._record(node.op_type, *inputs, **attributes)

    def constant(self, name: str, content: Any) -> ir.Value:
        """Record a number or an array under a name, for what was fitted."""
        array = np.asarray(content, order="C")
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
        return self.keep(name, array)

    def keep(self, name: str, array: NDArray[Any]) -> ir.Value:
        """Record an array as it is, whatever its dtype."""
        value = ir.Value(name=f"{self.prefix}/{name}", const_value=ir.tensor(array))
        self.constants.append(value)
        return value

    def insert(self, graph: ir.Graph, before: ir.Node) -> None:
        """Put everything into a graph, before one of its nodes."""
        for value in self.constants:
            graph.register_initializer(value)
        graph.insert_before(before, self.nodes)

    def _record(self, operator: str, *inputs: Any, outputs: int = 1, **attributes: Any) -> ir.Value:
        values = [
            item
            if isinstance(item, ir.Value)
            else self.constant(f"constant_{len(self.constants)}", item)
            for item in inputs
        ]
        name = f"{self.prefix}/{len(self.nodes)}_{operator}"
        node = ir.node(operator, values, attributes, num_outputs=outputs, name=name)
        self.nodes.append(node)
        for number, value in enumerate(node.outputs):
            value.name = f"{name}:{number}" if number else name
        first: ir.Value = node.outputs[0]
        first.meta["dims"] = shape_of(operator, [dims(value) for value in values], attributes)
        return first
