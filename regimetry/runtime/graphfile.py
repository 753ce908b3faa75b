"""A model file in memory: its bytes, checked once, and where in them the parts of the graph lie.

A regimetry graph has operators of the default ONNX domain only, no control flow, no functions and
no data outside of the file. A file that breaks this was not written by regimetry: it could read
other files, or never end. The bytes that are checked are the bytes that run; nothing opens the file
again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, Self

from regimetry.errors import ModelError
from regimetry.runtime.protobuf import BYTES, EIGHT_BYTES, FOUR_BYTES, VARINT, Message

# The messages of onnx.proto, as far as regimetry writes them or says why it does not.
_MODEL = Message(
    "a model",
    once=dict.fromkeys((1, 5), VARINT) | dict.fromkeys((2, 3, 4, 6, 7), BYTES),
    lists=dict.fromkeys((8, 14, 25), BYTES),
)
_GRAPH = Message(
    "a graph",
    once=dict.fromkeys((2, 10), BYTES),
    lists=dict.fromkeys((1, 5, 11, 12, 13, 15, 16), BYTES),
)
_NODE = Message(
    "a node",
    once=dict.fromkeys((3, 4, 6, 7), BYTES),
    lists=dict.fromkeys((1, 2, 5, 9), BYTES),
)
_ATTRIBUTE = Message(
    "an attribute",
    once={2: FOUR_BYTES, 3: VARINT, 20: VARINT} | dict.fromkeys((1, 4, 5, 6, 13, 22), BYTES),
    lists={7: FOUR_BYTES, 8: VARINT} | dict.fromkeys((9, 10, 11, 23), BYTES),
)
_TENSOR = Message(
    "a tensor",
    once=dict.fromkeys((2, 14), VARINT) | dict.fromkeys((8, 9, 12), BYTES),
    lists=dict.fromkeys((1, 5, 7, 11), VARINT)
    | {4: FOUR_BYTES, 10: EIGHT_BYTES}
    | dict.fromkeys((6, 13, 16), BYTES),
)
_VALUE = Message("a value", once=dict.fromkeys((1, 2, 3), BYTES), lists={4: BYTES})

_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_SPARSE = 1, 5, 11, 12, 15
_GRAPH_VALUE = 13
_NODE_INPUT, _NODE_OUTPUT, _NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 1, 2, 4, 5, 7
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_TENSOR_NAME, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 8, 13, 14
_VALUE_NAME = 1

_DEFAULT_DOMAINS = (b"", b"ai.onnx")
_NAMES = {
    _GRAPH_INITIALIZER: "initializers",
    _GRAPH_INPUT: "inputs",
    _GRAPH_OUTPUT: "outputs",
    _GRAPH_VALUE: "values",
}

LARGEST_BYTES = 2**31 - 1
"""What one ONNX file can hold without external data: a protobuf message ends there."""


class Node(NamedTuple):
    """One node: its operator, the names of what it reads and gives, and its field in the graph."""

    operator: str
    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]
    whole: memoryview


@dataclass(frozen=True, kw_only=True)
class GraphFile:
    """A model file that keeps to the rules above.

    Attributes
    ----------
    name : str
        What messages call it.
    content : bytes
    model : sequence of (int, memoryview)
        Number and bytes of each field of the model but the graph.
    nodes : tuple of Node
    initializers, inputs, outputs, values : mapping of bytes to memoryview
        By name, the fields of the graph that declare weights, inputs, outputs, and types between.
    """

    name: str
    content: bytes
    model: tuple[tuple[int, memoryview], ...]
    nodes: tuple[Node, ...]
    initializers: Mapping[bytes, memoryview]
    inputs: Mapping[bytes, memoryview]
    outputs: Mapping[bytes, memoryview]
    values: Mapping[bytes, memoryview]

    @classmethod
    def read(cls, source: str | PathLike[str] | bytes, name: str | None = None) -> Self:
        """Read and check a model of any form.

        Parameters
        ----------
        source : path or bytes
            The file, which is read once, or its content.
        name : str or None
            What messages call it; the path by default.

        Raises
        ------
        ModelError
            The file is missing, damaged, too large, or holds what regimetry never writes.
        """
        if isinstance(source, bytes):
            name, content = name or "The model", source
        else:
            name = name or str(source)
            content = _bytes_of(Path(source), name)
        try:
            return cls(name=name, content=content, **_parts_of(memoryview(content), name))
        except ValueError as error:
            if isinstance(error, ModelError):
                raise
            raise _damaged(name, str(error)) from error


def require_size(n_bytes: int, name: str) -> None:
    """Raise :class:`ModelError` if a model does not fit into one ONNX file."""
    if n_bytes > LARGEST_BYTES:
        raise ModelError(
            f"{name} has {n_bytes / 2**30:.2f} GiB; one ONNX file holds at most 2 GiB. Use a "
            "smaller encoder or fewer landmarks."
        )


def _bytes_of(path: Path, name: str) -> bytes:
    if not path.is_file():
        raise ModelError(f"There is no model file {name}. Make one with `regimetry fit`.")
    require_size(path.stat().st_size, name)
    content = path.read_bytes()
    require_size(len(content), name)
    return content


def _parts_of(content: memoryview, name: str) -> dict[str, Any]:
    """Return the attributes of a :class:`GraphFile` that lie in its content."""
    if not content:
        raise ValueError("it is empty")
    graph, rest = None, []
    for field, value, whole in _MODEL.fields(content):
        if field == _MODEL_FUNCTIONS:
            raise _foreign(name, "functions of its own")
        if field == _MODEL_GRAPH:
            graph = value
        else:
            rest.append((field, whole))
    if graph is None:
        raise ValueError("it holds no graph")
    nodes: list[Node] = []
    named: dict[int, dict[bytes, memoryview]] = {field: {} for field in _NAMES}
    for field, value, whole in _GRAPH.fields(graph):
        if field == _GRAPH_SPARSE:
            raise _foreign(name, "sparse weights")
        if field == _GRAPH_NODE:
            nodes.append(_node(value, whole, name))
        elif field in _NAMES:
            label = _require_inside(value, name) if field == _GRAPH_INITIALIZER else _name(value)
            if label in named[field]:
                raise ValueError(f"two of its {_NAMES[field]} are called {label!r}")
            named[field][label] = whole
    # A weight may also be an input, whose default it then is.
    _require_one_source(nodes, {*named[_GRAPH_INPUT], *named[_GRAPH_INITIALIZER]})
    return {
        "model": tuple(rest),
        "nodes": tuple(nodes),
        **{_NAMES[field]: found for field, found in named.items()},
    }


def _node(node: memoryview, whole: memoryview, name: str) -> Node:
    fields = list(_NODE.fields(node))
    operator = "".join(_text(f.value) for f in fields if f.number == _NODE_OPERATOR)
    for field, value, _ in fields:
        if field == _NODE_DOMAIN and bytes(value) not in _DEFAULT_DOMAINS:
            raise _foreign(name, f"the operator {operator!r} of the domain {_text(value)!r}")
        if field == _NODE_ATTRIBUTE:
            _require_plain_attribute(value, operator, name)
    inputs, outputs = (
        tuple(bytes(f.value) for f in fields if f.number == number)
        for number in (_NODE_INPUT, _NODE_OUTPUT)
    )
    return Node(operator, inputs, outputs, whole)


def _require_plain_attribute(attribute: memoryview, operator: str, name: str) -> None:
    for field, value, _ in _ATTRIBUTE.fields(attribute):
        if field in _ATTRIBUTE_GRAPHS:
            raise _foreign(name, f"control flow (the operator {operator!r})")
        if field in _ATTRIBUTE_SPARSE:
            raise _foreign(name, "sparse weights")
        if field in _ATTRIBUTE_TENSORS:
            _require_inside(value, name)


def _require_inside(tensor: memoryview, name: str) -> bytes:
    """Return the name of a tensor whose data lie in the file."""
    fields = list(_TENSOR.fields(tensor))
    label = b"".join(bytes(f.value) for f in fields if f.number == _TENSOR_NAME)
    for field, value, _ in fields:
        # The location is 0 (inside) unless it is stated.
        if field == _TENSOR_EXTERNAL or (field == _TENSOR_LOCATION and bytes(value) != b"\0"):
            what = f"a reference to data outside of it (weight {label.decode('latin-1')!r})"
            raise _foreign(name, what)
    return label


def _name(value: memoryview) -> bytes:
    return b"".join(bytes(f.value) for f in _VALUE.fields(value) if f.number == _VALUE_NAME)


def _require_one_source(nodes: Sequence[Node], given: set[bytes]) -> None:
    """Raise ValueError where a value has two sources: which one is read would be up to chance."""
    seen = set(given)
    for label in (output for node in nodes for output in node.outputs if output):
        if label in seen:
            raise ValueError(f"the value {_text(label)!r} has two sources")
        seen.add(label)


def _text(value: bytes | memoryview) -> str:
    return bytes(value).decode("latin-1")


def _damaged(name: str, reason: str) -> ModelError:
    return ModelError(
        f"{name} cannot be read as an ONNX model; it is damaged or of another kind ({reason}). "
        "Copy it again, or fit and save again."
    )


def _foreign(name: str, what: str) -> ModelError:
    return ModelError(
        f"{name} holds {what}, which regimetry never writes: a model file has operators of the "
        "default ONNX domain, all its weights inside, and no control flow. Do not use it unless "
        "you know where it comes from; fit and save again."
    )
