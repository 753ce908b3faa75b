"""A model file in memory: its bytes, checked once, and where in them the parts of the graph lie.

A regimetry graph has operators of a list (:mod:`regimetry.runtime.operators`), no control flow, no
functions and no data outside of the file. A file that breaks this was not written by regimetry: it
could read other files, or never end. The bytes that are checked are the bytes that run; nothing
opens the file again.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, Self

from regimetry.errors import ModelError
from regimetry.runtime import onnx_messages as onnx
from regimetry.runtime.operators import ALLOWED, RANDOM
from regimetry.runtime.protobuf import BYTES, number, numbers
from regimetry.runtime.seal import SEAL_KEY, seal_of

_DEFAULT_DOMAINS = (b"", b"ai.onnx")
_NAMES = {
    onnx.GRAPH_INITIALIZER: "initializers",
    onnx.GRAPH_INPUT: "inputs",
    onnx.GRAPH_OUTPUT: "outputs",
    onnx.GRAPH_VALUE: "values",
}

LARGEST_BYTES = 2**31 - 1
"""What one ONNX file can hold without external data: a protobuf message ends there."""

MOST_NODES = 10_000
"""A hundred times those of a model with two blocks."""

Sizes = tuple[int | None, ...]
"""A shape; ``None`` is a size that is not stated."""


class Node(NamedTuple):
    """One node: its operator, the names of what it reads and gives, and its field in the graph."""

    operator: str
    inputs: tuple[bytes, ...]
    outputs: tuple[bytes, ...]
    whole: memoryview


class Declared(NamedTuple):
    """An input, an output or a value between: its field in the graph, element type and sizes."""

    whole: memoryview
    element: int
    sizes: Sizes


class Weight(NamedTuple):
    """A constant of the graph: its field, and its sizes."""

    whole: memoryview
    sizes: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class GraphFile:
    """A model file that keeps to the rules above.

    Attributes
    ----------
    name : str
        What messages call it.
    content : bytes
    sha256 : str
        Of the content, in hexadecimals.
    seal : str or None
        SHA-256 of what the seal covers, all of the file but the seal; ``None`` if the file has
        none, as those of formats 1 to 3.
    metadata : mapping of str to str
    model : sequence of (int, memoryview)
        Number and bytes of each field of the model but the graph.
    nodes : tuple of Node
    initializers : mapping of bytes to Weight
    inputs, outputs, values : mapping of bytes to Declared
        By name, what the graph declares.
    """

    name: str
    content: bytes
    sha256: str
    seal: str | None
    metadata: Mapping[str, str]
    model: tuple[tuple[int, memoryview], ...]
    nodes: tuple[Node, ...]
    initializers: Mapping[bytes, Weight]
    inputs: Mapping[bytes, Declared]
    outputs: Mapping[bytes, Declared]
    values: Mapping[bytes, Declared]

    @classmethod
    def read(
        cls,
        source: str | PathLike[str] | bytes,
        name: str | None = None,
        sha256: str | None = None,
    ) -> Self:
        """Read and check a model of any form.

        Parameters
        ----------
        source : path or bytes
            The file, which is read once, or its content.
        name : str or None
            What messages call it; the path by default.
        sha256 : str or None
            The sum that the file must have, in hexadecimals.

        Raises
        ------
        ModelError
            The file is missing, damaged, changed, too large, or holds what regimetry never writes.
        """
        if isinstance(source, bytes):
            name, content = name or "The model", source
        else:
            name = name or str(source)
            content = _bytes_of(Path(source), name)
        total = hashlib.sha256(content).hexdigest()
        if sha256 is not None and sha256.lower() != total:
            raise ModelError(
                f"{name} has the SHA-256 {total}; {sha256} was asked for. It is another file, or "
                "was changed: get the right one, or compare the sum with its maker's."
            )
        try:
            return cls(name=name, content=content, sha256=total, **_parts_of(content, name))
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


def _parts_of(content: bytes, name: str) -> dict[str, Any]:
    """Return the attributes of a :class:`GraphFile` that lie in its content."""
    if not content:
        raise ValueError("it is empty")
    graph, rest, metadata = None, [], {}
    for field, value, whole in onnx.MODEL.fields(memoryview(content)):
        if field == onnx.MODEL_FUNCTION:
            raise _foreign(name, "functions of its own")
        if field == onnx.MODEL_GRAPH:
            graph = value
            continue
        rest.append((field, whole))
        if field == onnx.MODEL_METADATA:
            key, text = _entry(value)
            if key in metadata:
                raise ValueError(f"two entries of its metadata are called {key!r}")
            metadata[key] = text
        elif field == onnx.MODEL_OPSET:
            list(onnx.OPSET.fields(value))
    if graph is None:
        raise ValueError("it holds no graph")
    parts = _parts_of_graph(graph, name)
    return {
        "seal": _seal(content, name) if SEAL_KEY in metadata else None,
        "metadata": metadata,
        "model": tuple(rest),
        **parts,
    }


def _parts_of_graph(graph: memoryview, name: str) -> dict[str, Any]:
    nodes: list[Node] = []
    named: dict[int, dict[bytes, Any]] = {field: {} for field in _NAMES}
    for field, value, whole in onnx.GRAPH.fields(graph):
        if field == onnx.GRAPH_SPARSE:
            raise _foreign(name, "sparse weights")
        if field == onnx.GRAPH_NODE:
            nodes.append(_node(value, whole, name))
            if len(nodes) > MOST_NODES:
                raise _foreign(name, f"more than {MOST_NODES} nodes")
        elif field in _NAMES:
            read = _weight if field == onnx.GRAPH_INITIALIZER else _declared
            label, found = read(value, whole, name)
            if label in named[field]:
                raise ValueError(f"two of its {_NAMES[field]} are called {label!r}")
            named[field][label] = found
    # A weight may also be an input, whose default it then is.
    _require_one_source(nodes, {*named[onnx.GRAPH_INPUT], *named[onnx.GRAPH_INITIALIZER]})
    return {"nodes": tuple(nodes), **{_NAMES[field]: found for field, found in named.items()}}


def _seal(content: bytes, name: str) -> str:
    found = seal_of(memoryview(content))
    if found is None:
        raise ModelError(
            f"{name} is not as it was written: its content has another SHA-256 than its seal says. "
            "It was changed or damaged; copy it again, or fit and save again."
        )
    return found


def _entry(entry: memoryview) -> tuple[str, str]:
    """Return key and value of an entry of the metadata; text that is no UTF-8 is a ValueError."""
    found = {number: bytes(value).decode() for number, value, _ in onnx.ENTRY.fields(entry)}
    return found.get(onnx.ENTRY_KEY, ""), found.get(onnx.ENTRY_VALUE, "")


def _node(node: memoryview, whole: memoryview, name: str) -> Node:
    fields = list(onnx.NODE.fields(node))
    operator = "".join(_text(f.value) for f in fields if f.number == onnx.NODE_OPERATOR)
    for field, value, _ in fields:
        if field == onnx.NODE_DOMAIN and bytes(value) not in _DEFAULT_DOMAINS:
            raise _foreign(name, f"the operator {operator!r} of the domain {_text(value)!r}")
        if field == onnx.NODE_ATTRIBUTE:
            _require_plain_attribute(value, operator, name)
    if operator in RANDOM:
        raise _foreign(name, f"the operator {operator!r}, which draws random numbers")
    if operator not in ALLOWED:
        raise _foreign(name, f"the operator {operator!r}")
    inputs, outputs = (
        tuple(bytes(f.value) for f in fields if f.number == number)
        for number in (onnx.NODE_INPUT, onnx.NODE_OUTPUT)
    )
    return Node(operator, inputs, outputs, whole)


def _require_plain_attribute(attribute: memoryview, operator: str, name: str) -> None:
    for field, value, _ in onnx.ATTRIBUTE.fields(attribute):
        if field in onnx.ATTRIBUTE_GRAPHS:
            raise _foreign(name, f"control flow (the operator {operator!r})")
        if field in onnx.ATTRIBUTE_SPARSE:
            raise _foreign(name, "sparse weights")
        if field in onnx.ATTRIBUTE_TENSORS:
            _require_inside(value, name)


def _require_inside(tensor: memoryview, name: str) -> tuple[bytes, tuple[int, ...]]:
    """Return name and sizes of a tensor whose data lie in the file."""
    label, sizes, outside = b"", [], False
    for field, value, whole in onnx.TENSOR.fields(tensor):
        if field == onnx.TENSOR_NAME:
            label = bytes(value)
        elif field == onnx.TENSOR_SIZES:
            # Numbers that are packed lie in bytes, behind a length.
            sizes += numbers(value) if whole[0] & 7 == BYTES else [number(value)]
        # The location is 0 (inside) unless it is stated.
        outside |= field == onnx.TENSOR_EXTERNAL
        outside |= field == onnx.TENSOR_LOCATION and bytes(value) != b"\0"
    if outside:
        what = f"a reference to data outside of it (weight {label.decode('latin-1')!r})"
        raise _foreign(name, what)
    if math.prod(sizes) > len(tensor):
        raise ValueError(f"weight {_text(label)!r} of {sizes} has {len(tensor)} bytes")
    return label, tuple(sizes)


def _weight(tensor: memoryview, whole: memoryview, name: str) -> tuple[bytes, Weight]:
    label, sizes = _require_inside(tensor, name)
    return label, Weight(whole, sizes)


def _declared(value: memoryview, whole: memoryview, name: str) -> tuple[bytes, Declared]:
    """Return the name of an input, an output or a value, and what is declared of it."""
    label, element, sizes = b"", 0, []
    for field, inner, _ in onnx.VALUE.fields(value):
        if field == onnx.VALUE_NAME:
            label = bytes(inner)
        elif field == onnx.VALUE_TYPE:
            for kind in (f for f in onnx.TYPE.fields(inner) if f.number == onnx.TYPE_TENSOR):
                for part in onnx.TENSOR_TYPE.fields(kind.value):
                    if part.number == onnx.TENSOR_ELEMENT:
                        element = number(part.value)
                    else:
                        sizes = [_size(f.value) for f in onnx.SHAPE.fields(part.value)]
    return label, Declared(whole, element, tuple(sizes))


def _size(size: memoryview) -> int | None:
    found = (f.value for f in onnx.SIZE.fields(size) if f.number == onnx.SIZE_NUMBER)
    return next(map(number, found), None)


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
        "default ONNX domain, of those in regimetry/runtime/operators.py, all its weights inside, "
        "and no control flow. Do not use it unless "
        "you know where it comes from; fit and save again."
    )
