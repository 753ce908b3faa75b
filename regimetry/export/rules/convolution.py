"""A convolution of kernel 1 is a dense layer on every row: one Gemm.

tf2onnx moves the channels to where ONNX wants them and back:

    Unsqueeze -> Transpose -> Conv (1 x 1) -> Transpose -> Squeeze -> Add
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
    moved,
    needed,
    sizes_of,
    with_added_row,
)
from regimetry.export.rules.views import as_rows, as_windows
from regimetry.export.tape import Tape

_TO_CHANNELS_FIRST, _BACK = (0, 3, 1, 2), (0, 2, 3, 1)


class Convolution:
    """Anchored at the convolution."""

    name = "convolution"

    def anchors(self, node: ir.Node) -> bool:
        """Return whether it is a convolution."""
        return node.op_type == "Conv"

    def rewrite(self, node: ir.Node, tape: Tape) -> tuple[ir.Value, ir.Value]:
        """Rows times the kernel's matrix."""
        weight = _kernel(node)
        tokens = _moved_in(node)
        result = _moved_out(node)
        bias = np.zeros(weight.shape[1]) if len(node.inputs) < 3 else constant(node.inputs[2])
        if bias is None:
            raise Declined("the bias is no constant")
        added, result = with_added_row(result, len(bias))
        sizes_of(tokens, "the input has")
        product = tape.Gemm(as_rows(tape, tokens), weight, bias + added)
        return result, as_windows(tape, product, tokens)


def _kernel(node: ir.Node) -> np.ndarray:
    """Return the kernel as a matrix (in, out); decline unless every output sees one position."""
    kernel = constant(node.inputs[1])
    if kernel is None:
        raise Declined("the kernel is no constant")
    if any(size != 1 for size in kernel.shape[2:]):
        raise Declined(f"the kernel has shape {kernel.shape[2:]}, expected 1 position")
    if attribute(node, "group", 1) != 1:
        raise Declined(f"the convolution has {attribute(node, 'group', 1)} groups, expected 1")
    if any(stride != 1 for stride in attribute(node, "strides", [1])):
        raise Declined(f"the strides are {list(attribute(node, 'strides', [1]))}, expected 1")
    if any(attribute(node, "pads", [0])):
        raise Declined("the convolution is padded")
    return kernel.reshape(kernel.shape[:2]).T


def _moved_in(node: ir.Node) -> ir.Value:
    transpose = moved(
        needed(node.inputs[0], "Transpose", "the input"),
        _TO_CHANNELS_FIRST,
        "the input's channels are not moved from last to second place",
    )
    unsqueeze = needed(transpose.inputs[0], "Unsqueeze", "the transposed input")
    if axes_of(unsqueeze) not in ((1,), (-3,)):
        raise Declined(f"the input gets axes {axes_of(unsqueeze)}, expected one at 1")
    return input_of(unsqueeze)


def _moved_out(node: ir.Node) -> ir.Value:
    transpose = moved(
        consumer(node.outputs[0], "Transpose", "the output"),
        _BACK,
        "the output's channels are not moved back to the last place",
    )
    squeeze = consumer(transpose.outputs[0], "Squeeze", "the transposed output")
    if axes_of(squeeze) not in ((1,), (-3,)):
        raise Declined(f"the output loses axes {axes_of(squeeze)}, expected the one at 1")
    return squeeze.outputs[0]
