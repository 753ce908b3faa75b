"""The mask of an attention layer, read back from the graph.

tf2onnx writes Keras's masked softmax as arithmetic: with m = 1 where a key may be seen,

    p = softmax(m s + (1 - m) low);   p = m p + (1 - m) 0

where the second line, a row that sees no key at all gets weights of 0, is there with dropout only.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from regimetry.export.attention import LOW
from regimetry.export.rules.matching import (
    Declined,
    constant,
    made_by,
    read_by,
    scalar,
    with_constant,
)
from regimetry.export.shapes import dims

Seen = NDArray[np.bool_] | ir.Value
"""Which keys may be seen; broadcasts to (batch, 1, W, W): constant, or a value of the graph."""


def unmasked_scores(value: ir.Value) -> tuple[ir.Value, Seen | None]:
    """Return the scores behind a masked score, and the mask; decline a mask of another kind."""
    node = made_by(value, "Add")
    if node is None:
        return value, None
    for product, shift in (node.inputs, tuple(reversed(node.inputs))):
        read = _masked(product, shift)
        if read is not None:
            return read
    raise Declined("what is added to the scores is no mask that is known")


def masked_weights(value: ir.Value, mask: Seen | None) -> ir.Value:
    """Return the last value of ``m p + (1 - m) 0`` behind weights p, or p itself."""
    masked = read_by(value, "Mul")
    if mask is None or masked is None:
        return value
    product = masked.outputs[0]
    added = read_by(product, "Add")
    if added is None:
        return product
    first, second = added.inputs
    if not _is_zero(second if first is product else first):
        raise Declined("what is added to the masked weights is not 0")
    return added.outputs[0]


def _masked(product: ir.Value | None, shift: ir.Value | None) -> tuple[ir.Value, Seen] | None:
    node = made_by(product, "Mul")
    if node is None:
        return None
    for mask, scores in (node.inputs, tuple(reversed(node.inputs))):
        seen = _boolean(mask)
        if seen is not None and scores is not None and _hides(shift, seen):
            return scores, seen
    return None


def _boolean(mask: ir.Value | None) -> Seen | None:
    """Return the truth behind a mask of zeros and ones."""
    array = constant(mask)
    if array is not None:
        return array != 0 if set(np.unique(array)) <= {0.0, 1.0} and array.size > 1 else None
    cast = made_by(mask, "Cast")
    seen = cast.inputs[0] if cast is not None else None
    return seen if len(dims(seen) or ()) == 4 else None


def _hides(shift: ir.Value | None, seen: Seen) -> bool:
    """Whether a shift is very low where a key is unseen and 0 elsewhere."""
    array = constant(shift)
    if array is not None:
        return (
            isinstance(seen, np.ndarray)
            and np.broadcast_shapes(array.shape, seen.shape) == seen.shape
            and bool(np.all(np.where(seen, array == 0, array <= LOW)))
        )
    node = made_by(shift, "Mul")
    if node is None or not isinstance(seen, ir.Value):
        return False
    unseen, factor = with_constant(node)
    cast = made_by(unseen, "Cast")
    negated = made_by(cast.inputs[0], "Not") if cast else None
    low = scalar(factor)
    return low is not None and low <= LOW and negated is not None and negated.inputs[0] is seen


def _is_zero(value: ir.Value | None) -> bool:
    """Whether a value is 0, or 0 times something finite."""
    array = constant(value)
    if array is not None:
        return not np.any(array)
    node = made_by(value, "Mul")
    return node is not None and any(scalar(constant(item)) == 0.0 for item in node.inputs)
