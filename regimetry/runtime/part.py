"""The part of a graph that leads to some of its outputs, cut from the bytes of the file.

onnxruntime computes every node of a graph, whatever outputs it is asked for. So a session of a part
has a model of its own: the nodes, weights and inputs that its outputs need, each as it lies in the
file.
"""

from __future__ import annotations

from collections.abc import Iterable

from regimetry.runtime.graphfile import GraphFile, Node
from regimetry.runtime.protobuf import as_field

# Field numbers of onnx.proto.
_MODEL_IR_VERSION, _MODEL_GRAPH, _MODEL_OPSETS = 1, 7, 8
_GRAPH_NAME = 2


def closed(graph: GraphFile, outputs: Iterable[str]) -> frozenset[str]:
    """Return these outputs and those that are computed on the way to them, but for a name.

    They share a session, and with it the weights. With them the part ends where the whole graph has
    ends, so that onnxruntime fuses no two nodes over an output which the whole graph keeps: results
    stay equal bit for bit.
    """
    asked = frozenset(outputs)
    needed = {id(node) for node in _nodes(graph, asked)}
    return frozenset(
        name
        for name in map(bytes.decode, graph.outputs)
        if name in asked
        or all(node.operator == "Identity" or id(node) in needed for node in _nodes(graph, [name]))
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
    nodes = _nodes(graph, map(bytes.decode, asked))
    read = {name for node in nodes for name in node.inputs} | asked
    known = read.union(*(node.outputs for node in nodes))
    parts: list[memoryview | bytes] = [
        *(node.whole for node in nodes),
        *as_field(_GRAPH_NAME, [b"part"]),
        *(weight for name, weight in graph.initializers.items() if name in read),
        *(i for name, i in graph.inputs.items() if name in read or name not in graph.initializers),
        *(output for name, output in graph.outputs.items() if name in asked),
        *(value for name, value in graph.values.items() if name in known),
    ]
    head = [whole for field, whole in graph.model if field in (_MODEL_IR_VERSION, _MODEL_OPSETS)]
    return b"".join([*head, *as_field(_MODEL_GRAPH, parts)])


def _nodes(graph: GraphFile, outputs: Iterable[str]) -> list[Node]:
    """Return the nodes that lead to outputs, in the order of the graph."""
    source = {name: node for node in graph.nodes for name in node.outputs}
    waiting = [name.encode() for name in outputs]
    found: set[int] = set()
    while waiting:
        node = source.get(waiting.pop())
        if node is not None and id(node) not in found:
            found.add(id(node))
            waiting += node.inputs
    return [node for node in graph.nodes if id(node) in found]
