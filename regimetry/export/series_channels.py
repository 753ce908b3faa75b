"""Convolutions in the series form: each once a row, where the window form has W of them.

Values (batch, C, P) of windows, channels first, become (1, C, rows) of the series. Position p of
window n is then row n + p, and the mean over P positions a difference of running sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import onnx_ir as ir

from regimetry.export.rules.matching import attribute, constant
from regimetry.export.shapes import ENTRYWISE, dims, entries
from regimetry.export.tape import Tape

_LAST = np.iinfo(np.int32).max  # some runtimes keep integers of 32 bits

Twins = Mapping[ir.Value, ir.Value]
"""Values of windows, and what stands for them in the series."""

Starts = Callable[[], ir.Value]
"""Gives the first rows of the windows, (N, 1)."""


def on_channels(node: ir.Node, bars: Twins, channels: Twins, tape: Tape) -> ir.Value | None:
    """Record the twin of a node on channels of the series, if it does the same to every row.

    Parameters
    ----------
    node : Node
    bars : mapping
        Values (batch, P, C), each with its rows (rows, C).
    channels : mapping
        Values (batch, C, P), each with its rows (1, C, rows).
    tape : Tape

    Returns
    -------
    Value or None
        Of the shape (1, C, rows).
    """
    source = node.inputs[0]
    if source is not None and source in bars and _turns(node):
        return tape.Unsqueeze(tape.Transpose(bars[source], perm=[1, 0]), [0])
    if source is None or source not in channels:
        return None
    if node.op_type == "Slice":
        return _later_rows(node, source, channels[source], tape)
    if node.op_type == "Concat":
        joined = [
            channels[value] for value in node.inputs if value is not None and value in channels
        ]
        alike = attribute(node, "axis", 0) == 1 and len(joined) == len(node.inputs)
        return tape.again(node, *joined) if alike else None
    rest = [constant(value) for value in node.inputs[1:]]
    numbers = all(array is not None and array.size == 1 for array in rest)
    plain = node.op_type == "Conv" and _is_plain(node) and all(array is not None for array in rest)
    if plain or (node.op_type in ENTRYWISE and numbers):
        return tape.again(node, channels[source], *node.inputs[1:])
    return None


def _turns(node: ir.Node) -> bool:
    return node.op_type == "Transpose" and list(attribute(node, "perm", ())) == [0, 2, 1]


def _is_plain(node: ir.Node) -> bool:
    """Whether a convolution reads rows that are there, one position after the other."""
    pads, strides = attribute(node, "pads", ()), attribute(node, "strides", ())
    return not any(pads) and set(strides) <= {1} and "auto_pad" not in node.attributes


def _later_rows(node: ir.Node, source: ir.Value, rows: ir.Value, tape: Tape) -> ir.Value | None:
    """Slice rows as every window is sliced: positions s to e of P are rows s to T - (P - e)."""
    given, shape = [constant(value) for value in node.inputs[1:]], dims(source)
    if shape is None or len(given) < 3 or any(item is None for item in given):
        return None
    start, end, axis, *steps = (np.ravel(item).tolist() for item in given if item is not None)
    if axis != [2] or any(step != [1] for step in steps):
        return None
    positions = entries(shape[2])
    first, last, _ = slice(start[0], end[0]).indices(positions)
    return tape.Slice(rows, [first], [last - positions if last < positions else _LAST], [2])


def shares_of_windows(node: ir.Node, channels: Twins, tape: Tape) -> ir.Value | None:
    """Record the mean of yes and no over the positions of each window: (windows, C).

    With c the number of times up to a row, and P positions: ``(c[n + P] - c[n]) / P``. Counts of
    float32 are exact up to 16 777 216 rows a call.
    """
    source = node.inputs[0]
    if node.op_type != "ReduceMean" or source is None or source not in channels:
        return None
    cast = source.producer()
    is_count = cast is not None and cast.op_type == "Cast" and _is_comparison(cast.inputs[0])
    axes = attribute(node, "axes", None) or constant(node.inputs[1])
    if not is_count or axes is None or list(axes) != [2] or attribute(node, "keepdims", 1):
        return None
    shape = dims(source)
    assert shape is not None
    counts = tape.CumSum(channels[source], 2)
    none = tape.Sub(tape.Slice(counts, [0], [1], [2]), tape.Slice(counts, [0], [1], [2]))
    counts = tape.Concat(none, counts, axis=2)
    positions = entries(shape[2])
    later = tape.Slice(counts, [positions], [_LAST], [2])
    inside = tape.Sub(later, tape.Slice(counts, [0], [-positions], [2]))
    return tape.Transpose(tape.Squeeze(tape.Div(inside, float(positions)), [0]), perm=[1, 0])


def patches_of_windows(
    node: ir.Node, channels: Twins, starts: Starts, tape: Tape
) -> ir.Value | None:
    """Record the means over patches of p rows side by side in each window: (windows, C, P).

    The mean of the p rows from each row on is taken once; a window has every pth of them.
    """
    source, shape = node.inputs[0], dims(node.outputs[0])
    size = list(attribute(node, "kernel_shape", ()))
    if node.op_type != "AveragePool" or source is None or source not in channels or shape is None:
        return None
    if list(attribute(node, "strides", ())) != size or any(attribute(node, "pads", ())):
        return None
    means = tape.AveragePool(channels[source], kernel_shape=size)
    return windows_of_channels(means, entries(shape[2]), starts(), tape, step=size[0])


def _is_comparison(value: ir.Value | None) -> bool:
    node = None if value is None else value.producer()
    return node is not None and node.op_type == "Greater"


def windows_of_channels(
    rows: ir.Value, positions: int, starts: ir.Value, tape: Tape, step: int = 1
) -> ir.Value:
    """Cut windows of ``positions`` rows, each ``step`` after the other: (N, C, positions).

    They begin at ``starts`` (N, 1).
    """
    places = tape.Add(starts, step * np.arange(positions)[None])
    return tape.Transpose(tape.Gather(tape.Squeeze(rows, [0]), places, axis=1), perm=[1, 0, 2])
