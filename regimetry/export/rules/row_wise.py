"""What is done to every row alike is done to rows: reshapes move towards the output.

    f(windows(u), windows(v)) = windows(f(u, v))     for rows u, v (batch * W, D)

Dense layers leave rows and take rows. With the functions between them on rows as well, the
reshapes meet, and disappear.
"""

from __future__ import annotations

import onnx_ir as ir

from regimetry.export.rules.matching import Declined, attribute, constant
from regimetry.export.rules.views import as_rows, as_windows, is_rows_view
from regimetry.export.shapes import ENTRYWISE, Shape, dims
from regimetry.export.tape import Tape


class Rows:
    """Anchored at a function of every entry, or of every row, that reads windows made of rows."""

    name = "rows"

    def anchors(self, node: ir.Node) -> bool:
        """Return whether it is such a function, with an input that was rows just before."""
        if node.op_type not in ENTRYWISE and node.op_type != "LayerNormalization":
            return False
        return any(is_rows_view(value) for value in node.inputs) and len(node.outputs) == 1

    def rewrite(self, node: ir.Node, tape: Tape) -> tuple[ir.Value, ir.Value]:
        """Apply the function to the rows."""
        shape = dims(node.outputs[0])
        if shape is None or len(shape) != 3:
            raise Declined("the output is not (batch, W, D)")
        if node.op_type == "LayerNormalization" and attribute(node, "axis", -1) not in (-1, 2):
            raise Declined("the normalisation is not over the last axis")
        result = tape.again(node, *(_as_rows(value, shape, tape) for value in node.inputs))
        return node.outputs[0], as_windows(tape, result, node.outputs[0])


def _as_rows(value: ir.Value | None, shape: Shape, tape: Tape) -> ir.Value:
    """Return an input as rows; decline where it is not the same for every position."""
    found = dims(value)
    if value is None or found is None:
        raise Declined("an input has no known shape")
    if constant(value) is not None:
        if any(entry != 1 for entry in found[:-1]):
            raise Declined("a constant differs from position to position")
        return value if len(found) <= 2 else tape.reshape(value, (found[-1],))
    if found != shape:
        raise Declined("an input has another shape than the output")
    return as_rows(tape, value)
