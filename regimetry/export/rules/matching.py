"""Small questions about a graph, from which the rules are built."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from regimetry.export.shapes import dims


class Declined(Exception):  # noqa: N818  (no error: the graph stays as it is)
    """A rule does not apply at a node; the message is the reason."""


def constant(value: ir.Value | None) -> NDArray[Any] | None:
    """Return a value's array if it is a constant."""
    if value is None or value.const_value is None:
        return None
    array: NDArray[Any] = value.const_value.numpy()
    return array


def made_by(value: ir.Value | None, *operators: str) -> ir.Node | None:
    """Return the node that makes a value if it is one of ``operators``."""
    node = None if value is None else value.producer()
    return node if node is not None and node.op_type in operators else None


def needed(value: ir.Value | None, operator: str, what: str) -> ir.Node:
    """Return the node that makes a value; decline unless it is ``operator``."""
    node = made_by(value, operator)
    if node is None:
        found = None if value is None else value.producer()
        kind = "an input or a constant" if found is None else found.op_type
        raise Declined(f"{what} comes from {kind}, expected {operator}")
    return node


def read_by(value: ir.Value, operator: str) -> ir.Node | None:
    """Return the node that alone reads a value if it is ``operator``."""
    nodes = value.consumers()
    alone = len(nodes) == 1 and not value.is_graph_output()
    return nodes[0] if alone and nodes[0].op_type == operator else None


def consumer(value: ir.Value, operator: str, what: str) -> ir.Node:
    """Return the only node that reads a value; decline unless it is one, of that kind."""
    nodes = value.consumers()
    if len(nodes) != 1 or value.is_graph_output():
        raise Declined(f"{what} is read {len(nodes)} times, expected once")
    if nodes[0].op_type != operator:
        raise Declined(f"{what} goes to {nodes[0].op_type}, expected {operator}")
    return nodes[0]


def with_constant(node: ir.Node) -> tuple[ir.Value, NDArray[Any]]:
    """Split the inputs of a binary node into the variable one and the constant; decline if none."""
    first, second = node.inputs
    for value, other in ((first, second), (second, first)):
        array = constant(other)
        if array is not None and value is not None and constant(value) is None:
            return value, array
    raise Declined(f"{node.op_type} has no constant input")


def with_added_row(value: ir.Value, size: int) -> tuple[NDArray[np.float64], ir.Value]:
    """Take in a bias: return the row that alone is added to a value, and the sum.

    Zeros and the value itself where it goes elsewhere.
    """
    added = read_by(value, "Add")
    for item in added.inputs if added else ():
        array = constant(item)
        if added and array is not None and array.ndim and array.size == array.shape[-1] == size:
            return array.reshape(size).astype(np.float64), added.outputs[0]
    return np.zeros(size), value


def sizes_of(value: ir.Value | None, what: str, axes: str = "W, D") -> tuple[int, ...]:
    """Return the fixed sizes of (batch, ...) behind the batch; decline where they are not known."""
    shape = dims(value) or ()
    sizes = tuple(size for size in shape[1:] if isinstance(size, int))
    if len(shape) != axes.count(",") + 2 or len(sizes) < len(shape) - 1:
        raise Declined(f"{what} no known (batch, {axes}) shape")
    return sizes


def attribute(node: ir.Node, name: str, default: Any) -> Any:
    """Return an attribute's plain value."""
    found = node.attributes.get(name)
    return default if found is None else found.value


def input_of(node: ir.Node, position: int = 0) -> ir.Value:
    """Return an input that a node has."""
    value = node.inputs[position]
    assert value is not None
    return value


def moved(node: ir.Node, axes: tuple[int, ...], reason: str) -> ir.Node:
    """Return a Transpose; decline with a reason unless it moves the axes in this way."""
    if tuple(attribute(node, "perm", ())) != axes:
        raise Declined(reason)
    return node


def axes_of(node: ir.Node) -> tuple[int, ...] | None:
    """Return the axes of a reduction, Squeeze or Unsqueeze, from attribute or input."""
    axes = attribute(node, "axes", None)
    if axes is None and len(node.inputs) > 1:
        axes = constant(node.inputs[1])
    return None if axes is None else tuple(int(axis) for axis in axes)


def scalar(array: NDArray[Any] | None) -> float | None:
    """Return the number that a constant of one entry holds."""
    return None if array is None or array.size != 1 else float(np.asarray(array).reshape(()))


def is_row(array: NDArray[Any] | None) -> bool:
    """Whether a constant is the same for every position: it has at most a last axis."""
    return array is not None and all(size == 1 for size in array.shape[:-1]) and array.ndim < 3
