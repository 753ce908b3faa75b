"""Static shapes of a graph whose batch is unknown.

tf2onnx computes some shapes at run time, and shape inference then gives up. But two inferences at
two fixed batch sizes know every dimension: one that stays is static, one that grows with the batch
is a multiple of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import onnx
import onnx_ir as ir
from onnx import shape_inference

from regimetry.errors import ExportError

# fmt: off
ENTRYWISE = frozenset([
    "Abs", "Add", "Cast", "Clip", "Div", "Elu", "Erf", "Exp", "Gelu", "Greater", "IsNaN",
    "LeakyRelu", "Log", "Max", "Min", "Mul", "Neg", "Pow", "Relu", "Selu", "Sigmoid", "Softplus",
    "Sqrt", "Sub", "Tanh", "Where",
])
# fmt: on
"""Operators that make each entry of the output from the same entry of the inputs."""

_PROBES = (2, 5)


@dataclass(frozen=True, slots=True)
class Batch:
    """A dimension of ``times`` entries for each window of the batch."""

    times: int


Dim = int | Batch
"""A static dimension, or a multiple of the batch."""

Shape = tuple[Dim, ...]


def annotate(model: ir.Model) -> None:
    """Give every value of the graph its dimensions, for `dims` to read.

    Raises
    ------
    ExportError
        The shapes contradict each other, or a dimension is no multiple of the batch.
    """
    small, large = (_infer(ir.to_proto(model), size) for size in _PROBES)
    graph = model.graph
    for value in (*graph.inputs, *(output for node in graph for output in node.outputs)):
        if value.name in small:
            pairs = zip(small[value.name], large[value.name], strict=True)
            value.meta["dims"] = tuple(_dim(a, b, str(value.name)) for a, b in pairs)


def dims(value: ir.Value | None) -> Shape | None:
    """Return a value's dimensions, ``None`` where they are unknown."""
    if value is None:
        return None
    if value.const_value is not None:
        return tuple(value.const_value.shape.numpy())
    known = value.meta.get("dims")
    return known if isinstance(known, tuple) else None


def entries(size: Dim) -> int:
    """Return how many entries a dimension has for one window."""
    return size.times if isinstance(size, Batch) else size


def shape_of(
    operator: str, shapes: Sequence[Shape | None], attributes: Mapping[str, Any]
) -> Shape | None:
    """Return the shape that an operator makes of others, ``None`` where it is not known here.

    For the operators that the rewrite rules write, so that what they wrote is known at once.
    """
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes):
        return None
    if operator in ENTRYWISE:
        rank = max(len(shape) for shape in known)
        padded = [(1,) * (rank - len(shape)) + shape for shape in known]
        return tuple(
            next((size for size in sizes if size != 1), 1) for sizes in zip(*padded, strict=True)
        )
    if operator in ("Softmax", "LayerNormalization"):
        return known[0]
    if operator == "Transpose":
        return tuple(known[0][axis] for axis in attributes["perm"])
    if operator in ("MatMul", "Gemm") and not attributes:
        return (*known[0][:-1], known[1][-1])
    return None


def _dim(small: int, large: int, name: str) -> Dim:
    if small == large:
        return small
    times, rest = divmod(small, _PROBES[0])
    if rest or large != times * _PROBES[1]:
        raise ExportError(
            f"A dimension of {name} is {small} for {_PROBES[0]} windows and {large} for "
            f"{_PROBES[1]}; every one must be fixed or a multiple of the batch. Use a model that "
            "treats the windows of a batch alike."
        )
    return Batch(times)


def _infer(model: onnx.ModelProto, batch: int) -> dict[str, tuple[int, ...]]:
    del model.graph.value_info[:]
    for value in model.graph.input:
        value.type.tensor_type.shape.dim[0].dim_value = batch
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    try:
        inferred = shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
    except shape_inference.InferenceError as error:
        raise ExportError(
            f"The shapes of the graph contradict each other ({error}). Export the model again."
        ) from error
    shapes = {}
    for value in [*inferred.input, *inferred.value_info, *inferred.output]:
        sizes = value.type.tensor_type.shape.dim
        if all(size.HasField("dim_value") for size in sizes):
            shapes[value.name] = tuple(size.dim_value for size in sizes)
    return shapes
