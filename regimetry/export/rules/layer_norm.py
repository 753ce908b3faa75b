"""LayerNormalization as one operator (Ba, Kiros, Hinton 2016).

tf2onnx writes, over the last axis:

    g = gamma / sqrt(mean((x - mean(x))^2) + epsilon);   y = x g + (beta - mean(x) g)

with gamma and beta left out where they are 1 and 0.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from regimetry.export.rules.matching import (
    Declined,
    attribute,
    axes_of,
    constant,
    consumer,
    input_of,
    made_by,
    needed,
    read_by,
    with_constant,
)
from regimetry.export.shapes import dims
from regimetry.export.tape import Tape


class LayerNorm:
    """Anchored at the reciprocal of the deviation."""

    name = "layer_norm"

    def anchors(self, node: ir.Node) -> bool:
        """Return whether it is the reciprocal of a root."""
        return node.op_type == "Reciprocal" and made_by(node.inputs[0], "Sqrt") is not None

    def rewrite(self, node: ir.Node, tape: Tape) -> tuple[ir.Value, ir.Value]:
        """Read the input from the deviation, the affine part from what follows."""
        root = needed(node.inputs[0], "Sqrt", "the reciprocal")
        shifted = needed(root.inputs[0], "Add", "the root's argument")
        variance, epsilon = with_constant(shifted)
        tokens, mean = _centred(variance)
        shape = dims(tokens)
        if shape is None or not isinstance(shape[-1], int) or epsilon.size != 1:
            raise Declined("the last axis has no fixed size, or epsilon is no single number")
        size = shape[-1]

        factor, gamma = node.outputs[0], np.ones(size)
        scaled = read_by(factor, "Mul")
        if scaled and any(constant(value) is not None for value in scaled.inputs):
            gamma = _vector(with_constant(scaled)[1], size, "gamma")
            factor = scaled.outputs[0]
        result, beta = _scale_and_shift(factor, tokens, mean, size)
        return result, tape.LayerNormalization(
            tokens, gamma, beta, axis=-1, epsilon=float(epsilon.reshape(()))
        )


def _centred(variance: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Return x and mean(x) of mean((x - mean(x))^2); decline if it is something else."""
    squares = _mean_of(variance, "the variance")
    square = needed(squares, "Mul", "the variance's argument")
    if square.inputs[0] is not square.inputs[1]:
        raise Declined("the variance's argument is no square")
    centred = needed(square.inputs[0], "Sub", "the squared value")
    tokens, mean = input_of(centred), input_of(centred, 1)
    if _mean_of(mean, "the subtrahend") is not tokens:
        raise Declined("what is subtracted is not the mean of what it is subtracted from")
    return tokens, mean


def _mean_of(value: ir.Value, what: str) -> ir.Value:
    """Return x where ``value`` is the mean of x over the last axis, kept as an axis of 1."""
    node = made_by(value, "GlobalAveragePool", "ReduceMean")
    if node is None:
        raise Declined(f"{what} is no mean")
    source = input_of(node)
    rank = len(dims(source) or ())
    if node.op_type == "GlobalAveragePool":
        last = rank == 3
    else:
        last = axes_of(node) in ((-1,), (rank - 1,)) and attribute(node, "keepdims", 1) == 1
    if not last:
        raise Declined(f"{what} is a mean over other axes than the last")
    return source


def _scale_and_shift(
    factor: ir.Value, tokens: ir.Value, mean: ir.Value, size: int
) -> tuple[ir.Value, np.ndarray]:
    """Return the value x g + (beta - mean g), and beta."""
    products = {}
    for node in factor.consumers():
        if node.op_type != "Mul":
            raise Declined(f"the scale goes to {node.op_type}, expected Mul")
        other = node.inputs[1] if node.inputs[0] is factor else node.inputs[0]
        negated = made_by(other, "Neg")
        source = negated.inputs[0] if negated else other
        products["mean" if negated and source is mean else source] = node.outputs[0]
    if set(products) != {tokens, "mean"}:
        raise Declined("the scale multiplies something else than x and -mean(x)")
    shift, beta = products["mean"], np.zeros(size)
    last = consumer(shift, "Add", "-mean(x) times the scale")
    if any(constant(value) is not None for value in last.inputs):
        beta = _vector(with_constant(last)[1], size, "beta")
        last = consumer(last.outputs[0], "Add", "the shift")
    if products[tokens] not in last.inputs:
        raise Declined("the shift is added to something else than x times the scale")
    return last.outputs[0], beta


def _vector(array: np.ndarray, size: int, what: str) -> np.ndarray:
    if array.size not in (1, size) or array.shape[-1:] not in ((size,), (1,), ()):
        raise Declined(f"{what} has shape {array.shape}, expected {size} entries on the last axis")
    return np.broadcast_to(array.reshape(-1), size)
