"""A graph that another program wrote, as a part of ours."""

from __future__ import annotations

from functools import partial

import onnx
import onnx_ir as ir

from regimetry.export.part import EncoderPart
from regimetry.export.rules.matching import constant
from regimetry.export.tape import Tape


def inlined_part(
    graph: onnx.GraphProto, window_size: int, n_features: int, size: int, opset: int
) -> EncoderPart:
    """Return a graph (batch, W, F) -> (batch, D) as an encoder."""
    return EncoderPart(partial(inlined, graph), window_size, n_features, size, opset, foreign=True)


def inlined(graph: onnx.GraphProto, tape: Tape, value: ir.Value) -> ir.Value:
    """Record a graph of one input and one output, fed by ``value``; return its output.

    Nodes come in the order in which the output needs them, and every value gets a new name,
    numbered in that order: tf2onnx's order and names differ from process to process, and equal
    fits must give equal files.
    """
    source = ir.serde.deserialize_graph(graph)
    (output,) = source.outputs
    nodes = _in_order_of_need(output)
    source.outputs.clear()
    source.remove(nodes)
    source.inputs[0].replace_all_uses_with(value)
    constants: dict[ir.Value, ir.Value] = {}
    for number, node in enumerate(nodes):
        for position, item in enumerate(node.inputs):
            array = constant(item)
            if item is None or array is None:
                continue
            if item not in constants:
                constants[item] = tape.keep(f"constant_{len(constants)}", array)
            node.replace_input_with(position, constants[item])
        node.name = f"{tape.prefix}/{number}_{node.op_type}"
        for place, made in enumerate(node.outputs):
            made.name = f"{node.name}:{place}" if place else node.name
            made.shape = made.type = None
    tape.nodes.extend(nodes)
    return output


def _in_order_of_need(output: ir.Value) -> list[ir.Node]:
    """Return the nodes that a value needs, each after the nodes it needs itself."""
    ordered: dict[ir.Node, None] = {}
    pending = [output.producer()]
    while pending:
        node = pending[-1]
        assert node is not None
        makers = [value.producer() for value in node.inputs if value is not None]
        missing = [maker for maker in makers if maker is not None and maker not in ordered]
        pending.extend(missing[:1])
        if not missing:
            ordered[node] = None
            pending.pop()
    return list(ordered)
