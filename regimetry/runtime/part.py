"""The part of a graph that leads to some of its outputs, cut from the bytes of the file.

onnxruntime computes every node of a graph, whatever outputs it is asked for. So a session of a part
has a model of its own: the nodes, weights and inputs that its outputs need, each as it lies in the
file.
"""

from __future__ import annotations

from collections.abc import Iterable

from regimetry.runtime.graphfile import GraphFile, Node
from regimetry.runtime.onnx_messages import (
    GRAPH_NAME,
    MODEL_GRAPH,
    MODEL_IR_VERSION,
    MODEL_OPSET,
)
from regimetry.runtime.protobuf import as_field


def closed(graph: GraphFile, outputs: Iterable[str]) -> frozenset[str]:
    """Return these outputs and those that are computed on the way to them, but for a name.

    They share a session, and with it the weights. With them the part ends where the whole graph has
    ends, so that onnxruntime fuses no two nodes over an output which the whole graph keeps: results
    stay equal bit for bit.
    """
    asked = frozenset(outputs)
    needed = {id(node) for node in _nodes_of(graph, asked)}
    return frozenset(
        name
        for name in map(bytes.decode, graph.outputs)
        if name in asked
        or all(
            node.operator == "Identity" or id(node) in needed for node in _nodes_of(graph, [name])
        )
    )


def cut(graph: GraphFile, outputs: Iterable[str]) -> bytes:
    """Return a model that computes these outputs alone; the file's own content if they need it all.

    Parameters
    ----------
    graph : GraphFile
    outputs : iterable of str
        Names of outputs that the graph has.
    """
    asked = {name.encode() for name in outputs}
    if asked == graph.outputs.keys():
        return graph.content
    nodes = leading_to(graph, asked)
    read = {name for node in nodes for name in node.inputs} | asked
    known = read.union(*(node.outputs for node in nodes))
    parts: list[memoryview | bytes] = [
        *(node.whole for node in nodes),
        *as_field(GRAPH_NAME, [b"part"]),
        *(weight.whole for name, weight in graph.initializers.items() if name in read),
        *(
            given.whole
            for name, given in graph.inputs.items()
            if name in read or name not in graph.initializers
        ),
        *(output.whole for name, output in graph.outputs.items() if name in asked),
        *(value.whole for name, value in graph.values.items() if name in known),
    ]
    return as_model(graph, parts)


def as_model(graph: GraphFile, parts: list[memoryview | bytes]) -> bytes:
    """Return a model of the same versions whose graph has these fields."""
    head = [whole for field, whole in graph.model if field in (MODEL_IR_VERSION, MODEL_OPSET)]
    return b"".join([*head, *as_field(MODEL_GRAPH, parts)])


def _nodes_of(graph: GraphFile, outputs: Iterable[str]) -> list[Node]:
    return leading_to(graph, (name.encode() for name in outputs))


def leading_to(graph: GraphFile, values: Iterable[bytes]) -> list[Node]:
    """Return the nodes that lead to values, in the order of the graph."""
    source = {name: node for node in graph.nodes for name in node.outputs}
    waiting = [*values]
    found: set[int] = set()
    while waiting:
        node = source.get(waiting.pop())
        if node is not None and id(node) not in found:
            found.add(id(node))
            waiting += node.inputs
    return [node for node in graph.nodes if id(node) in found]
