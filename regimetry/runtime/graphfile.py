"""Checks of a model file before onnxruntime builds anything from it.

A regimetry graph has operators of the default ONNX domain only, no control flow, no functions and
no data outside of the file. A file that breaks this was not written by regimetry: it could read
other files, or never end.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path

from regimetry.errors import ModelError

# Field numbers of onnx.proto.
_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_SPARSE = 1, 5, 15
_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSORS, _ATTRIBUTE_GRAPHS, _ATTRIBUTE_SPARSE = (5, 10), (6, 11), (22, 23)
_TENSOR_NAME, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 8, 13, 14

_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_DEFAULT_DOMAINS = (b"", b"ai.onnx")

LARGEST_BYTES = 2**31 - 1
"""What one ONNX file can hold without external data: a protobuf message ends there."""


def require_file(path: Path, name: str) -> None:
    """Raise :class:`ModelError` unless there is a file of a size that a model can have."""
    if not path.is_file():
        raise ModelError(f"There is no model file {name}. Make one with `regimetry fit`.")
    require_size(path.stat().st_size, name)


def require_size(n_bytes: int, name: str) -> None:
    """Raise :class:`ModelError` if a model does not fit into one ONNX file."""
    if n_bytes > LARGEST_BYTES:
        raise ModelError(
            f"{name} has {n_bytes / 2**30:.2f} GiB; one ONNX file holds at most 2 GiB. Use a "
            "smaller encoder or fewer landmarks."
        )


def require_plain_graph(source: Path | bytes, name: str) -> None:
    """Raise :class:`ModelError` unless the file keeps to the rules above.

    Parameters
    ----------
    source : Path or bytes
        The model file, or its content. Weights are skipped, not read.
    name : str
        The file's name, for messages.
    """
    if isinstance(source, bytes):
        _require_plain(memoryview(source), name)
        return
    require_file(source, name)
    with source.open("rb") as file:
        if source.stat().st_size == 0:
            raise _damaged(name, "it is empty")
        # Closed with the last view of it, which a traceback may keep for a while.
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    _require_plain(memoryview(content), name)


def _require_plain(model: memoryview, name: str) -> None:
    try:
        fields = list(_protobuf_fields(model))
        if any(field == _MODEL_FUNCTIONS for field, _ in fields):
            raise _foreign(name, "functions of its own")
        graphs = [value for field, value in fields if field == _MODEL_GRAPH]
        for graph in graphs:
            _require_plain_nodes(graph, name)
    except ValueError as error:
        if isinstance(error, ModelError):
            raise
        raise _damaged(name, str(error)) from error
    if not graphs:
        raise _damaged(name, "it holds no graph")


def _require_plain_nodes(graph: memoryview, name: str) -> None:
    for field, value in _protobuf_fields(graph):
        if field == _GRAPH_INITIALIZER:
            _require_inside(value, name)
        elif field == _GRAPH_SPARSE:
            raise _foreign(name, "sparse weights")
        elif field == _GRAPH_NODE:
            node = list(_protobuf_fields(value))
            operator = b"".join(bytes(v) for f, v in node if f == _NODE_OPERATOR).decode("latin-1")
            for part, content in node:
                if part == _NODE_DOMAIN and bytes(content) not in _DEFAULT_DOMAINS:
                    domain = bytes(content).decode("latin-1")
                    raise _foreign(name, f"the operator {operator!r} of the domain {domain!r}")
                if part == _NODE_ATTRIBUTE:
                    _require_plain_attribute(content, operator, name)


def _require_plain_attribute(attribute: memoryview, operator: str, name: str) -> None:
    for field, value in _protobuf_fields(attribute):
        if field in _ATTRIBUTE_GRAPHS:
            raise _foreign(name, f"control flow (the operator {operator!r})")
        if field in _ATTRIBUTE_SPARSE:
            raise _foreign(name, "sparse weights")
        if field in _ATTRIBUTE_TENSORS:
            _require_inside(value, name)


def _require_inside(tensor: memoryview, name: str) -> None:
    label = ""
    for field, value in _protobuf_fields(tensor):
        if field == _TENSOR_NAME:
            label = bytes(value).decode("latin-1")
        # The location is 0 (inside) unless it is stated.
        if field == _TENSOR_EXTERNAL or (field == _TENSOR_LOCATION and bytes(value) != b"\0"):
            raise _foreign(name, f"a reference to data outside of it (weight {label!r})")


def _protobuf_fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Yield number and raw content of each field of a protobuf message."""
    position, end = 0, len(message)
    while position < end:
        key, position = _varint(message, position)
        kind = key & 7
        if kind == _BYTES:
            length, start = _varint(message, position)
            position = start + length
        elif kind == _VARINT:
            start = position
            _, position = _varint(message, position)
        elif kind in (_EIGHT_BYTES, _FOUR_BYTES):
            start, position = position, position + (8 if kind == _EIGHT_BYTES else 4)
        else:
            raise ValueError(f"byte {position} is no protobuf field")
        if position > end:
            raise ValueError(f"{position - end} bytes are missing")
        yield key >> 3, message[start:position]


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    value = shift = 0
    while position < len(message) and shift < 64:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
    raise ValueError(f"byte {position} ends inside a number")


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
