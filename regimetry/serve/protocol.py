"""Requests and responses of the Open Inference Protocol V2, with its binary tensors; numpy only.

A body is one JSON object. With the header ``Inference-Header-Content-Length`` the object has that
many bytes, and the raw little-endian data of tensors follow it in the order of their entries.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import Signature, Tensor
from regimetry.serve.fields import (
    as_object,
    entries_of,
    flag_of,
    header_end,
    kind_of,
    parameters_of,
    parse,
)
from regimetry.serve.tensors import DATATYPES, RequestError, from_binary, from_json, require_shape


@dataclass(frozen=True)
class InferenceRequest:
    """A request, read and checked.

    Attributes
    ----------
    id : str or None
        To be given back.
    window : ndarray, shape (B, rows, F)
        float32, or float64 of bars.
    outputs : mapping of str to bool
        Which outputs, in which order, and whether each travels as binary data.
    """

    id: str | None
    window: NDArray[Any]
    outputs: Mapping[str, bool]


def decode_request(
    body: bytes, header_length: str | None, signature: Signature, max_batch: int
) -> InferenceRequest:
    """Read a request.

    Parameters
    ----------
    body : bytes
    header_length : str or None
        The value of ``Inference-Header-Content-Length``; ``None`` where the body is all JSON.
    signature : Signature
    max_batch : int
        The most windows of one request.

    Returns
    -------
    InferenceRequest

    Raises
    ------
    RequestError
        Anything in the request is not what the protocol and the signature ask for. Whether values
        are finite is left to :meth:`RegimeModel.run`.
    """
    end = header_end(header_length, len(body))
    request = as_object(parse(body[:end]), "The request")
    parameters = parameters_of(request, "The request")
    identity = request.get("id")
    if identity is not None and not isinstance(identity, str):
        raise RequestError(f"id is {kind_of(identity)}; it must be text.")
    window = _window(request.get("inputs"), memoryview(body)[end:], signature.input, max_batch)
    binary = flag_of(parameters, "binary_data_output", False, "The request")
    outputs = outputs_of(request.get("outputs"), signature.output_names, binary)
    return InferenceRequest(identity, window, outputs)


def encode_response(
    request: InferenceRequest, arrays: Mapping[str, NDArray[Any]], model: str, version: str
) -> tuple[bytes, int | None]:
    """Write the response to a request.

    Parameters
    ----------
    request : InferenceRequest
    arrays : mapping of str to ndarray
        Every requested output.
    model, version : str

    Returns
    -------
    body : bytes
    header_length : int or None
        For ``Inference-Header-Content-Length``; ``None`` where the body is all JSON.
    """
    head: dict[str, Any] = {"model_name": model, "model_version": version}
    if request.id is not None:
        head["id"] = request.id
    return encode_tensors(head, request.outputs, arrays)


def encode_tensors(
    head: Mapping[str, Any], outputs: Mapping[str, bool], arrays: Mapping[str, NDArray[Any]]
) -> tuple[bytes, int | None]:
    """Write what a response says and its outputs, as :func:`encode_response` does."""
    entries: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for name, binary in outputs.items():
        array = np.ascontiguousarray(arrays[name])
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        entry: dict[str, Any] = {
            "name": name,
            "datatype": DATATYPES[array.dtype.name],
            "shape": list(array.shape),
        }
        if binary:
            blobs.append(little.tobytes())
            entry["parameters"] = {"binary_data_size": len(blobs[-1])}
        else:
            entry["data"] = array.ravel().tolist()
        entries.append(entry)
    response = {**head, "outputs": entries}
    header = json.dumps(response, allow_nan=False, separators=(",", ":")).encode()
    return b"".join([header, *blobs]), len(header) if blobs else None


def _window(value: Any, tail: memoryview, tensor: Tensor, max_batch: int) -> NDArray[np.float32]:
    entries = entries_of(value, "inputs")
    names = [entry["name"] for entry in entries]
    if names != [tensor.name]:
        found = ", ".join(map(repr, names))[:80] or "nothing"
        raise RequestError(f"The inputs are {found}; the model reads {tensor.name!r} alone.")
    entry = entries[0]
    what = f"Input {tensor.name!r}"
    datatype = DATATYPES[tensor.dtype.name]
    if entry.get("datatype") != datatype:
        raise RequestError(
            f"{what} has datatype {str(entry.get('datatype'))[:40]!r}; the model reads "
            f"{datatype!r}."
        )
    shape = require_shape(entry.get("shape"), tensor, max_batch)
    parameters = parameters_of(entry, what)
    if "binary_data_size" in parameters:
        if "data" in entry:
            raise RequestError(f"{what} has both data and binary_data_size; give one.")
        return from_binary(parameters["binary_data_size"], tail, shape, tensor)
    if len(tail):
        raise RequestError(
            f"{len(tail)} bytes follow the JSON object, and no input has a binary_data_size."
        )
    if "data" not in entry:
        raise RequestError(f"{what} has neither data nor binary_data_size.")
    return from_json(entry["data"], shape, tensor)


def outputs_of(value: Any, known: Sequence[str], binary: bool) -> dict[str, bool]:
    """Return which of the known outputs a request asks for, and whether each comes as binary."""
    chosen: dict[str, bool] = {}
    for entry in entries_of([] if value is None else value, "outputs"):
        name = entry["name"]
        if name not in known:
            raise RequestError(
                f"There is no output {name[:80]!r}; the model gives {', '.join(known)}."
            )
        if name in chosen:
            raise RequestError(f"Output {name!r} is asked for twice.")
        what = f"Output {name!r}"
        chosen[name] = flag_of(parameters_of(entry, what), "binary_data", binary, what)
    return chosen or dict.fromkeys(known, binary)
