"""A dense layer as one Gemm on rows.

tf2onnx flattens (batch, W, F) to rows, multiplies, computes the shape to go back to at run time,
and adds the bias apart:

    Reshape -> MatMul -> Reshape (Shape, Gather, Concat) -> Add   =   Reshape -> Gemm -> Reshape
"""

from __future__ import annotations

import onnx_ir as ir

from regimetry.export.rules.matching import Declined, constant, made_by, with_added_row
from regimetry.export.rules.shapes import Batch, dims
from regimetry.export.rules.sketch import Sketch, is_rows_view


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

    def rewrite(self, node: ir.Node, sketch: Sketch) -> tuple[ir.Value, ir.Value]:
        """Rows times the matrix, the bias with it."""
        tokens, weight = node.inputs[0], constant(node.inputs[1])
        assert tokens is not None
        assert weight is not None
        result = node.outputs[0]
        if len(dims(tokens) or ()) == 2:
            flat = made_by(tokens, "Reshape")
            if flat is not None and len(dims(flat.inputs[0]) or ()) == 3:
                tokens = flat.inputs[0]
            view = _view_of(node)
            assert view is not None
            result = view
        shape = dims(result)
        assert tokens is not None
        if shape is None or len(shape) != 3 or any(isinstance(size, Batch) for size in shape[1:]):
            raise Declined("the output has no known (batch, W, D) shape")
        bias, result = with_added_row(result, weight.shape[1])
        rows = sketch.rows(tokens) if len(dims(tokens) or ()) == 3 else tokens
        count = (dims(rows) or (Batch(1),))[0]
        product = sketch.op("Gemm", rows, weight, bias, shape=(count, weight.shape[1]))
        return result, sketch.windows(product, shape)


def _view_of(node: ir.Node) -> ir.Value | None:
    """Return the (batch, W, D) view of a product of rows, if that is all that reads it."""
    nodes = list(dict.fromkeys(node.outputs[0].consumers()))
    if len(nodes) == 1 and nodes[0].op_type == "Reshape" and is_rows_view(nodes[0].outputs[0]):
        return nodes[0].outputs[0]
    return None
