"""Requests and responses of the Open Inference Protocol V2, with its binary tensors; numpy only.

A body is one JSON object. With the header ``Inference-Header-Content-Length`` the object has that
many bytes, and the raw little-endian data of tensors follow it in the order of their entries.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import Signature, Tensor
from regimetry.serve.tensors import DATATYPES, RequestError, from_binary, from_json, require_shape

_UNSUPPORTED = ("classification", "sequence_id", "shared_memory_region")
"""Parameters that would change the answer's meaning; others that we do not know are hints."""


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
    end = _header_end(header_length, len(body))
    request = _object(_parse(body[:end]), "The request")
    parameters = _request_parameters(request, "The request")
    identity = request.get("id")
    if identity is not None and not isinstance(identity, str):
        raise RequestError(f"id is {_kind(identity)}; it must be text.")
    window = _window(request.get("inputs"), memoryview(body)[end:], signature.input, max_batch)
    binary = _flag(parameters, "binary_data_output", False, "The request")
    outputs = _outputs(request.get("outputs"), signature.outputs, binary)
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
    entries: list[dict[str, Any]] = []
    blobs: list[bytes] = []
    for name, binary in request.outputs.items():
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
    response: dict[str, Any] = {"model_name": model, "model_version": version, "outputs": entries}
    if request.id is not None:
        response["id"] = request.id
    header = json.dumps(response, allow_nan=False, separators=(",", ":")).encode()
    return b"".join([header, *blobs]), len(header) if blobs else None


def _header_end(header_length: str | None, body_length: int) -> int:
    if header_length is None:
        return body_length
    # The length of the text is bounded first: Python refuses to read very long integers.
    if header_length.isascii() and header_length.isdecimal() and len(header_length) < 20:
        length = int(header_length)
        if 0 < length <= body_length:
            return length
    raise RequestError(
        f"Inference-Header-Content-Length is {header_length[:40]!r}; it must be the number of "
        f"bytes of the JSON object, from 1 to the body's {body_length}."
    )


def _parse(text: bytes) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError as error:
        raise RequestError("The request is nested too deeply.") from error
    except ValueError as error:  # also UnicodeDecodeError
        raise RequestError(
            f"The request is not JSON ({error}). With binary tensors, "
            "Inference-Header-Content-Length must say where they begin."
        ) from error


def _refuse_constant(name: str) -> NoReturn:
    raise RequestError(f"The request holds {name}; every value must be finite.")


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RequestError(f"{what} is {_kind(value)}; it must be a JSON object.")
    return value


def _kind(value: Any) -> str:
    kinds = {
        dict: "an object",
        list: "a list",
        str: "text",
        bool: "a boolean",
        type(None): "absent",
    }
    return kinds.get(type(value), "a number")


def _request_parameters(entry: Mapping[str, Any], what: str) -> dict[str, Any]:
    value = entry.get("parameters")
    parameters = _object({} if value is None else value, f"'parameters' of {what}")
    for name in _UNSUPPORTED:
        if name in parameters:
            raise RequestError(f"{what} has the parameter {name!r}, which is not supported.")
    return parameters


def _flag(parameters: Mapping[str, Any], name: str, default: bool, what: str) -> bool:
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise RequestError(f"{name} of {what} is {_kind(value)}; it must be true or false.")
    return value


def _entries(value: Any, what: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise RequestError(f"'{what}' is {_kind(value)}; it must be a list.")
    entries = [_object(entry, f"An entry of '{what}'") for entry in value]
    for entry in entries:
        if not isinstance(entry.get("name"), str):
            raise RequestError(f"An entry of '{what}' lacks a name.")
    return entries


def _window(value: Any, tail: memoryview, tensor: Tensor, max_batch: int) -> NDArray[np.float32]:
    entries = _entries(value, "inputs")
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
    parameters = _request_parameters(entry, what)
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


def _outputs(value: Any, tensors: Sequence[Tensor], binary: bool) -> dict[str, bool]:
    known = [tensor.name for tensor in tensors]
    chosen: dict[str, bool] = {}
    for entry in _entries([] if value is None else value, "outputs"):
        name = entry["name"]
        if name not in known:
            raise RequestError(
                f"There is no output {name[:80]!r}; the model gives {', '.join(known)}."
            )
        if name in chosen:
            raise RequestError(f"Output {name!r} is asked for twice.")
        what = f"Output {name!r}"
        chosen[name] = _flag(_request_parameters(entry, what), "binary_data", binary, what)
    return chosen or dict.fromkeys(known, binary)
