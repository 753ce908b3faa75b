"""The JSON object of a request, field by field; what is not as it must be is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from regimetry.serve.tensors import RequestError

_UNSUPPORTED = ("classification", "sequence_id", "shared_memory_region")
"""Parameters that would change the answer's meaning; others that we do not know are hints."""


def header_end(header_length: str | None, body_length: int) -> int:
    """Return where the JSON object ends in a body, by the value of its header."""
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


def parse(text: bytes) -> Any:
    """Read JSON whose numbers are all finite."""
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


def as_object(value: Any, what: str) -> dict[str, Any]:
    """Return an object, of which ``what`` speaks."""
    if not isinstance(value, dict):
        raise RequestError(f"{what} is {kind_of(value)}; it must be a JSON object.")
    return value


def kind_of(value: Any) -> str:
    """Return what a message calls a value of JSON."""
    kinds = {
        dict: "an object",
        list: "a list",
        str: "text",
        bool: "a boolean",
        type(None): "absent",
    }
    return kinds.get(type(value), "a number")


def parameters_of(entry: Mapping[str, Any], what: str) -> dict[str, Any]:
    """Return the parameters of an entry, none of which changes the answer's meaning."""
    value = entry.get("parameters")
    parameters = as_object({} if value is None else value, f"'parameters' of {what}")
    for name in _UNSUPPORTED:
        if name in parameters:
            raise RequestError(f"{what} has the parameter {name!r}, which is not supported.")
    return parameters


def flag_of(parameters: Mapping[str, Any], name: str, default: bool, what: str) -> bool:
    """Return a parameter that is true or false."""
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise RequestError(f"{name} of {what} is {kind_of(value)}; it must be true or false.")
    return value


def entries_of(value: Any, what: str) -> list[dict[str, Any]]:
    """Return a list of objects with names."""
    if not isinstance(value, list):
        raise RequestError(f"'{what}' is {kind_of(value)}; it must be a list.")
    entries = [as_object(entry, f"An entry of '{what}'") for entry in value]
    for entry in entries:
        if not isinstance(entry.get("name"), str):
            raise RequestError(f"An entry of '{what}' lacks a name.")
    return entries
