"""A dense layer as one Gemm on rows.

tf2onnx flattens (batch, W, F) to rows, multiplies, computes the shape to go back to at run time,
and adds the bias apart:

    Reshape -> MatMul -> Reshape (Shape, Gather, Concat) -> Add   =   Reshape -> Gemm -> Reshape
"""

from __future__ import annotations

import onnx_ir as ir

from regimetry.export.rules.matching import (
    constant,
    input_of,
    made_by,
    read_by,
    sizes_of,
    with_added_row,
)
from regimetry.export.rules.views import as_rows, as_windows, is_rows_view
from regimetry.export.shapes import dims
from regimetry.export.tape import Tape


class Dense:
    """Anchored at a product with a constant matrix."""

    name = "dense"

    def anchors(self, node: ir.Node) -> bool:
        """Return whether windows, or rows that become windows, are multiplied by a matrix."""
        if node.op_type != "MatMul":
            return False
        shape, weight = dims(node.inputs[0]), constant(node.inputs[1])
        if weight is None or weight.ndim != 2 or shape is None:
            return False
        return len(shape) == 3 or (len(shape) == 2 and _view_of(node) is not None)

    def rewrite(self, node: ir.Node, tape: Tape) -> tuple[ir.Value, ir.Value]:
        """Rows times the matrix, the bias with it."""
        tokens, weight = input_of(node), constant(node.inputs[1])
        assert weight is not None
        result = node.outputs[0]
        if len(dims(tokens) or ()) == 2:
            flat = made_by(tokens, "Reshape")
            if flat is not None and len(dims(flat.inputs[0]) or ()) == 3:
                tokens = input_of(flat)
            view = _view_of(node)
            assert view is not None
            result = view
        sizes_of(result, "the output has")
        bias, result = with_added_row(result, weight.shape[1])
        rows = as_rows(tape, tokens) if len(dims(tokens) or ()) == 3 else tokens
        return result, as_windows(tape, tape.Gemm(rows, weight, bias), result)


def _view_of(node: ir.Node) -> ir.Value | None:
    """Return the (batch, W, D) view of a product of rows, if that is all that reads it."""
    view = read_by(node.outputs[0], "Reshape")
    return view.outputs[0] if view and is_rows_view(view.outputs[0]) else None
