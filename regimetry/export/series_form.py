"""The series form of a graph: rows in, windows made inside.

    series (T, F) -> operations on single rows, once per bar -> windows (N, W, ...) -> the rest

Overlapping windows share all but one row. The window form scales and projects each row W times;
this form does so once, and a caller needs no windowing code. The arithmetic is the same, row for
row. Window n ends at bar n + R - 1, with R rows per window and N = T - R + 1 windows.
"""

from __future__ import annotations

from functools import cache, partial
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
from onnx_ir.passes import common

from regimetry.contract import FORM_KEY, INPUT_NAME, SERIES_INPUT_NAME
from regimetry.errors import ExportError
from regimetry.export.rules.matching import attribute, constant, is_row
from regimetry.export.series_channels import (
    Starts,
    Twins,
    on_channels,
    patches_of_windows,
    shares_of_windows,
    windows_of_channels,
)
from regimetry.export.shapes import ENTRYWISE, Batch, annotate, dims, entries
from regimetry.export.tape import Tape

_LAST = np.iinfo(np.int32).max  # some runtimes keep integers of 32 bits


def to_series(model: onnx.ModelProto) -> onnx.ModelProto:
    """Turn the window form of a model into the series form.

    Parameters
    ----------
    model : onnx.ModelProto
        Input ``window`` (batch, R, F). Unchanged.

    Returns
    -------
    onnx.ModelProto
        Input ``series`` float32 (rows, F), at least R of them; the same outputs, one row for each
        bar from bar R - 1 on, each of which uses that bar and the R - 1 before it. The same
        metadata, marked as of the series form.

    Raises
    ------
    ExportError
        The model has another input, or is of the series form already.
    """
    rewritten = ir.from_proto(model)
    graph = rewritten.graph
    if [value.name for value in graph.inputs] != [INPUT_NAME]:
        names = ", ".join(repr(value.name) for value in graph.inputs)
        raise ExportError(
            f"The model's inputs are {names}; expected {INPUT_NAME!r}, the window form. Give the "
            "file that `regimetry fit` wrote."
        )
    annotate(rewritten)
    shape = dims(graph.inputs[0])
    assert shape is not None
    rows, features = (entries(size) for size in shape[1:])
    series = ir.Value(
        name=SERIES_INPUT_NAME,
        shape=ir.Shape(("rows", features)),
        type=ir.TensorType(ir.DataType.FLOAT),
    )
    tape = Tape("series")
    starts = cache(partial(_starts, series, rows, tape))  # recorded where first needed
    bars, channels = {graph.inputs[0]: series}, dict[ir.Value, ir.Value]()
    for node in graph:
        if (row := _on_bars(node, bars, tape)) is not None:
            bars[node.outputs[0]] = row
        elif (row := on_channels(node, bars, channels, tape)) is not None:
            channels[node.outputs[0]] = row
        elif (shares := shares_of_windows(node, channels, tape)) is not None:
            node.outputs[0].replace_all_uses_with(shares)
        elif (patches := patches_of_windows(node, channels, starts, tape)) is not None:
            node.outputs[0].replace_all_uses_with(patches)
    _windows_of(bars, channels, starts, tape)

    tape.insert(graph, before=graph.node(0))
    graph.inputs[0] = series
    common.RemoveUnusedNodesPass()(rewritten)
    rewritten.metadata_props[FORM_KEY] = "series"
    result = ir.to_proto(rewritten)
    del result.graph.value_info[:]
    onnx.checker.check_model(result, full_check=True)
    return result


def _on_bars(node: ir.Node, bars: dict[ir.Value, ir.Value], tape: Tape) -> ir.Value | None:
    """Add the twin of a node on bars, if it does the same to every row; return its output."""
    if len(node.outputs) != 1 or not any(value in bars for value in node.inputs):
        return None
    if node.op_type == "Reshape":
        return _same_rows(node, bars)
    if node.op_type == "Slice":
        return _later_rows(node, bars, tape)
    if node.op_type in ("Gather", "Concat"):
        return _columns(node, bars, tape)
    if node.op_type in ENTRYWISE:
        inputs = _entrywise_inputs(node, bars)
    else:
        inputs = _row_function_inputs(node, bars)
    return None if inputs is None else tape.again(node, *inputs)


def _row_function_inputs(node: ir.Node, bars: dict[ir.Value, ir.Value]) -> list[Any] | None:
    """Return the bars and the constants of a function of every row alone."""
    first, *rest = node.inputs
    constants = [constant(value) for value in rest]
    alike = first in bars and all(array is not None for array in constants)
    if node.op_type == "MatMul":
        alike = alike and len(dims(rest[0]) or ()) == 2
    elif node.op_type == "Gemm":
        alike = alike and not any(attribute(node, name, 0) for name in ("transA", "transB"))
        alike = alike and all(is_row(array) for array in constants[1:])
    elif node.op_type == "LayerNormalization":
        alike = alike and attribute(node, "axis", -1) == -1
    else:
        alike = False
    if first is None or not alike:
        return None
    return [bars[first], *(value for value in rest if value is not None)]


def _entrywise_inputs(node: ir.Node, bars: dict[ir.Value, ir.Value]) -> list[Any] | None:
    """Return the bars and the constants of a function of every entry, the same for every row."""
    expected = dims(node.outputs[0]) or (0,)
    inputs: list[Any] = []
    for value in node.inputs:
        array = constant(value)
        if value is not None and value in bars and (dims(value) or ())[:-1] == expected[:-1]:
            inputs.append(bars[value])
        elif is_row(array):
            inputs.append(value)
        elif array is not None and array.ndim == 2 and (array == array[0]).all():
            inputs.append(array[0])
        else:
            return None
    return inputs


def _same_rows(node: ir.Node, bars: dict[ir.Value, ir.Value]) -> ir.Value | None:
    """Return the bars behind a Reshape between (batch, W, D) and (batch * W, D)."""
    source, before, after = node.inputs[0], dims(node.inputs[0]), dims(node.outputs[0])
    if source is None or before is None or after is None or {len(before), len(after)} != {2, 3}:
        return None
    return bars.get(source) if before[-1] == after[-1] else None


def _later_rows(node: ir.Node, bars: dict[ir.Value, ir.Value], tape: Tape) -> ir.Value | None:
    """Slice bars as every window is sliced: rows s to e of R are bars s to T - (R - e) of T.

    Columns may be sliced with them.
    """
    source, shape = node.inputs[0], dims(node.inputs[0])
    given = [constant(value) for value in node.inputs[1:]]
    if source is None or shape is None or len(given) < 3 or any(item is None for item in given):
        return None
    starts, ends, axes, *steps = (np.ravel(item).tolist() for item in given if item is not None)
    if axes not in ([1], [1, 2]) or any(set(step) != {1} for step in steps):
        return None
    rows = entries(shape[1])
    start, end, _ = slice(starts[0], ends[0]).indices(rows)
    last = end - rows if end < rows else _LAST
    columns = [axis - 1 for axis in axes]
    return tape.Slice(bars[source], [start, *starts[1:]], [last, *ends[1:]], columns)


def _columns(node: ir.Node, bars: dict[ir.Value, ir.Value], tape: Tape) -> ir.Value | None:
    """Choose or join the columns of bars as those of windows are."""
    if attribute(node, "axis", 0) != 2:
        return None
    if node.op_type == "Gather":
        source, chosen = node.inputs
        if source not in bars or constant(chosen) is None:
            return None
        return tape.Gather(bars[source], chosen, axis=1)
    if not all(value in bars for value in node.inputs):
        return None
    return tape.Concat(*(bars[value] for value in node.inputs if value is not None), axis=1)


def _starts(series: ir.Value, rows: int, tape: Tape) -> ir.Value:
    """Return the first rows of the n = T - R + 1 windows, (n, 1)."""
    count = tape.Sub(tape.Gather(tape.Shape(series), 0, axis=0), rows - 1)
    return tape.Unsqueeze(tape.Range(0, count, 1), [1])


def _windows_of(bars: Twins, channels: Twins, starts: Starts, tape: Tape) -> None:
    """Hand windows of the bars to every node that works neither on bars nor on channels.

    With n windows over values (T, C) of the bars::

        windows = bars[arange(n)[:, None] + arange(W)]  # (n, W, C)
    """
    for value, bar in {**bars, **channels}.items():
        readers = [
            use
            for use in value.uses()
            if use.node.outputs[0] not in bars and use.node.outputs[0] not in channels
        ]
        shape = dims(value)
        if not readers or shape is None:
            continue
        if value in channels:
            cut = windows_of_channels(bar, entries(shape[2]), starts(), tape)
            for node, position in readers:
                node.replace_input_with(position, cut)
            continue
        # Rows (batch * W, C) of windows are (batch, W, C) before the Reshape.
        flat = len(shape) == 2 and isinstance(shape[0], Batch)
        places = np.arange(entries(shape[0] if flat else shape[1]))
        windows = tape.Gather(bar, tape.Add(starts(), places[None]), axis=0)
        if len(shape) == 2:
            windows = tape.Reshape(windows, [-1, entries(shape[1])])
        for node, position in readers:
            node.replace_input_with(position, windows)
