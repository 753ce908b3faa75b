"""Reshapes, transposes and slices that change nothing, or undo each other."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from regimetry.export.rules.matching import Declined, attribute, constant, made_by
from regimetry.export.shapes import Batch, dims
from regimetry.export.tape import Tape

_VIEWS = ("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity")
"""Operators that keep the entries and their order."""


class DeadReshape:
    """Anchored at the last of a chain."""

    name = "reshape"

    def anchors(self, node: ir.Node) -> bool:
        """Return whether it is a view of a view, or changes no shape."""
        source, result = node.inputs[0] if node.inputs else None, node.outputs[0]
        if source is None or result.is_graph_output() or not result.uses():
            return False
        same = dims(source) is not None and dims(source) == dims(result)
        if node.op_type in _VIEWS:
            return same or made_by(source, *_VIEWS) is not None
        if node.op_type == "Slice":
            return same and _forward(node)
        return node.op_type == "Transpose" and (
            _permutation(node) == sorted(_permutation(node))
            or made_by(source, "Transpose") is not None
        )

    def rewrite(self, node: ir.Node, tape: Tape) -> tuple[ir.Value, ir.Value]:
        """Go back to where the chain begins."""
        result = node.outputs[0]
        if node.op_type == "Transpose":
            return result, _transposed_once(node, tape)
        source = node.inputs[0]
        while (maker := made_by(source, *_VIEWS)) is not None and maker.inputs[0] is not None:
            source = maker.inputs[0]
        shape = dims(result)
        if source is None or shape is None or dims(source) is None:
            raise Declined("the shapes before or behind are unknown")
        if dims(source) == shape:
            return result, source
        if made_by(node.inputs[0], *_VIEWS) is None:
            raise Declined("the chain has one member, which changes the shape")
        if any(isinstance(size, Batch) for size in shape[1:]):
            raise Declined("the batch is not in the first dimension")
        return result, tape.reshape(source, shape)


def _forward(node: ir.Node) -> bool:
    """Whether a Slice takes steps of 1, so that an unchanged shape means unchanged entries."""
    steps = constant(node.inputs[4]) if len(node.inputs) > 4 else np.array([1])
    return steps is not None and bool(np.all(steps == 1))


def _permutation(node: ir.Node) -> list[int]:
    rank = len(dims(node.outputs[0]) or ())
    return list(attribute(node, "perm", range(rank)[::-1]))


def _transposed_once(node: ir.Node, tape: Tape) -> ir.Value:
    source, axes = node.inputs[0], _permutation(node)
    before = made_by(source, "Transpose")
    if before is not None:
        source = before.inputs[0]
        axes = [_permutation(before)[axis] for axis in axes]
    assert source is not None
    if axes == sorted(axes):
        return source
    return tape.Transpose(source, perm=axes)
