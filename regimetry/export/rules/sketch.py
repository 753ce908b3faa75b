"""The nodes that a rule puts in place of others."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from regimetry.export.rules.matching import constant, made_by
from regimetry.export.rules.shapes import Batch, Dim, dims


class Sketch:
    """Collects nodes and constants that are not in the graph yet."""

    def __init__(self) -> None:
        self.nodes: list[ir.Node] = []
        self.constants: list[ir.Value] = []

    def op(
        self,
        operator: str,
        *inputs: ir.Value | NDArray[Any],
        shape: tuple[Dim, ...] | None = None,
        **attributes: Any,
    ) -> ir.Value:
        """Add a node of one output; arrays among the inputs become constants."""
        values = [self._constant(item) if isinstance(item, np.ndarray) else item for item in inputs]
        node = ir.node(operator, values, attributes)
        self.nodes.append(node)
        if shape is not None:
            node.outputs[0].meta["dims"] = shape
        return node.outputs[0]

    def reshape(self, value: ir.Value, shape: tuple[Dim, ...]) -> ir.Value:
        """Add a Reshape to a shape whose first dimension alone may depend on the batch."""
        if dims(value) == shape:
            return value
        sizes = [-1 if isinstance(size, Batch) else size for size in shape]
        return self.op("Reshape", value, np.array(sizes, dtype=np.int64), shape=shape)

    def rows(self, value: ir.Value) -> ir.Value:
        """View (batch, W, D) as rows (batch * W, D); takes back a `windows` that made it."""
        shape = dims(value)
        assert shape is not None
        node = made_by(value, "Reshape")
        if node is not None and len(dims(node.inputs[0]) or ()) == 2:
            source = node.inputs[0]
            assert source is not None
            if (dims(source) or (None,))[-1] == shape[-1]:
                return source
        return self.reshape(value, (_product(shape[:-1]), shape[-1]))

    def windows(self, value: ir.Value, like: tuple[Dim, ...]) -> ir.Value:
        """View rows (batch * W, D) as (batch, W, D), where ``like`` is any (batch, W, ...)."""
        shape = dims(value)
        assert shape is not None
        return self.reshape(value, (*like[:-1], shape[-1]))

    def _constant(self, array: NDArray[Any]) -> ir.Value:
        if array.dtype.kind == "f":
            array = array.astype(np.float32)
        value = ir.Value(const_value=ir.tensor(np.ascontiguousarray(array)))
        self.constants.append(value)
        return value


def _product(sizes: tuple[Dim, ...]) -> Dim:
    batch, times = False, 1
    for size in sizes:
        batch = batch or isinstance(size, Batch)
        times *= size.times if isinstance(size, Batch) else size
    return Batch(times) if batch else times


def is_rows_view(value: ir.Value | None) -> bool:
    """Whether a value is (batch, W, D), reshaped from rows (batch * W, D)."""
    node = made_by(value, "Reshape")
    if node is None:
        return False
    shape, source = dims(value), dims(node.inputs[0])
    return (
        shape is not None
        and source is not None
        and len(shape) == 3
        and len(source) == 2
        and shape[-1] == source[-1]
        and constant(node.inputs[0]) is None
    )
