"""Windows of tokens (batch, W, D) viewed as rows (batch * W, D), and back."""

from __future__ import annotations

from math import prod

import onnx_ir as ir

from regimetry.export.rules.matching import constant, made_by
from regimetry.export.shapes import Batch, Dim, Shape, dims, entries
from regimetry.export.tape import Tape


def as_rows(tape: Tape, value: ir.Value) -> ir.Value:
    """View (batch, W, D) as rows (batch * W, D); takes back an `as_windows` that made it."""
    shape = dims(value)
    assert shape is not None
    node = made_by(value, "Reshape")
    source = node.inputs[0] if node else None
    found = dims(source) or ()
    if source is not None and len(found) == 2 and found[-1] == shape[-1]:
        return source
    return tape.reshape(value, (_product(shape[:-1]), shape[-1]))


def as_windows(tape: Tape, rows: ir.Value, like: ir.Value) -> ir.Value:
    """View rows (batch * W, D) as (batch, W, D), where ``like`` is any (batch, W, ...)."""
    shape, expected = dims(rows), dims(like)
    assert shape is not None
    assert expected is not None
    return tape.reshape(rows, (*expected[:-1], shape[-1]))


def is_rows_view(value: ir.Value | None) -> bool:
    """Whether a value is (batch, W, D), reshaped from rows (batch * W, D)."""
    node = made_by(value, "Reshape")
    if node is None or constant(node.inputs[0]) is not None:
        return False
    shape, source = dims(value) or (), dims(node.inputs[0]) or ()
    return (len(shape), len(source)) == (3, 2) and shape[-1] == source[-1]


def _product(sizes: Shape) -> Dim:
    times = prod(entries(size) for size in sizes)
    return Batch(times) if any(isinstance(size, Batch) for size in sizes) else times
