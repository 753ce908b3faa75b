"""Pushes of rows to series, and their answers: plain JSON, or the protocol's binary tensors."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import NoneType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.serve.answers import Answers
from regimetry.serve.fields import as_object, entries_of, header_end, kind_of, parameters_of, parse
from regimetry.serve.protocol import encode_tensors, outputs_of
from regimetry.serve.tensors import RequestError

FIELDS = ("count", "regime", "probability", "novelty", "novel")
"""What an answer may have; all of them where none is asked for."""

_SHOWN = 60
_TIME_LENGTH = 64


class Push(NamedTuple):
    """A push, read.

    Attributes
    ----------
    names : sequence of str, length B
    rows : ndarray of float, shape (B, F)
        NaN where a value is missing.
    times : sequence of str or numbers, or ndarray of numbers, shape (B,), or None
    outputs : mapping of str to bool
        Which fields the answer has, and whether they travel as binary data.
    """

    names: Sequence[str]
    rows: NDArray[np.floating]
    times: Sequence[Any] | None
    outputs: Mapping[str, bool]


def decode_push(body: bytes, header_length: str | None, name: str | None) -> Push:
    """Read a push.

    Parameters
    ----------
    body : bytes
    header_length : str or None
        The value of ``Inference-Header-Content-Length``; ``None`` where the body is all JSON.
    name : str or None
        The series that the path names; ``None`` where the push names a series for each row.

    Raises
    ------
    RequestError
        It is no push.
    """
    end = header_end(header_length, len(body))
    request = as_object(parse(body[:end]), "The push")
    if "inputs" in request:
        return _of_tensors(request, memoryview(body)[end:], name)
    rows = _matrix(request.get("rows"))
    given = request.get("series")
    if name is not None:
        if given is not None:
            raise RequestError("The path names the series; leave 'series' out of the push.")
        names: Sequence[str] = [name] * len(rows)
    else:
        names = _texts(given)
    times = request.get("times")
    if times is not None:
        _require_times(times)
    _require_one_a_row(rows, series=names, times=times)
    asked = request.get("outputs")
    if asked is not None:
        asked = [{"name": one} for one in _texts(asked, "outputs")]
    return Push(names, rows, times, outputs_of(asked, FIELDS, False))


def encode_answers(push: Push, answers: Answers, model: str) -> tuple[bytes, int | None]:
    """Write the answers to a push in the form in which it came; see :func:`encode_tensors`."""
    fields: dict[str, NDArray[Any]] = dict(zip(FIELDS, answers, strict=True))
    if any(push.outputs.values()):
        return encode_tensors({"model_name": model}, push.outputs, fields)
    without = np.flatnonzero(answers.regime < 0).tolist()
    said: dict[str, Any] = {"model_name": model}
    for name in push.outputs:
        values = fields[name].tolist()
        if name != "count":
            for row in (*without, *_unsaid(fields[name]).tolist()):
                values[row] = None
        said[name] = values
    return json.dumps(said, allow_nan=False, separators=(",", ":")).encode(), None


def _unsaid(values: NDArray[Any]) -> NDArray[np.intp]:
    """Return the rows that JSON has no word for."""
    return np.unique(np.argwhere(~np.isfinite(values))[:, 0])


def _of_tensors(request: Mapping[str, Any], tail: memoryview, name: str | None) -> Push:
    """Read a push whose data follow the JSON object, in the order of its inputs."""
    place, found = 0, {}
    wanted = {"rows": ("FP32", "FP64"), "times": ("INT64", "FP64"), "series": ("BYTES",)}
    for entry in entries_of(request["inputs"], "inputs"):
        what = f"Input {entry['name'][:_SHOWN]!r}"
        kinds = wanted.get(entry["name"], ())
        if entry["name"] in found or entry.get("datatype") not in kinds:
            raise RequestError(
                f"{what} of {str(entry.get('datatype'))[:_SHOWN]!r} is not read here; inputs are "
                "rows (FP32 or FP64), series (BYTES) and times (INT64 or FP64), each once."
            )
        size = parameters_of(entry, what).get("binary_data_size")
        if type(size) is not int or not 0 <= size <= len(tail) - place:
            raise RequestError(
                f"{what} has binary_data_size {str(size)[:_SHOWN]}; {len(tail) - place} bytes are "
                "left of the body."
            )
        found[entry["name"]] = entry, tail[place : place + size]
        place += size
    if place != len(tail) or "rows" not in found or ("series" in found) == (name is not None):
        raise RequestError(
            "The inputs must be rows, series where the path names none, and times if the rows "
            f"have some, and hold all {len(tail)} bytes after the JSON object."
        )
    rows = _array(*found["rows"], ndim=2)
    names = [name] * len(rows) if name is not None else _names(bytes(found["series"][1]))
    times: Any = _array(*found["times"], ndim=1) if "times" in found else None
    _require_one_a_row(rows, series=names, times=times)
    outputs = outputs_of(request.get("outputs"), FIELDS, True)
    if not all(outputs.values()):
        raise RequestError("The answer to binary rows comes as binary data; leave binary_data out.")
    return Push(names, rows, times, outputs)


def _array(entry: Mapping[str, Any], data: memoryview, *, ndim: int) -> NDArray[Any]:
    kind = {"FP32": "<f4", "FP64": "<f8", "INT64": "<i8"}[entry["datatype"]]
    shape, dtype = entry.get("shape"), np.dtype(kind)
    fits = (
        isinstance(shape, list)
        and len(shape) == ndim
        and all(type(size) is int and size > 0 for size in shape)
        and math.prod(shape) * dtype.itemsize == len(data)
    )
    if not fits:
        raise RequestError(
            f"Input {entry['name']!r} has shape {str(shape)[:_SHOWN]} and {len(data)} bytes of "
            f"{entry['datatype']}; the one must fit the other."
        )
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


@lru_cache(maxsize=8)  # who pushes to thousands of series does so in the same order again
def _names(data: bytes) -> tuple[str, ...]:
    """Read elements of BYTES: each behind its length."""
    names, place = [], 0
    try:
        while place < len(data):
            end = place + 4 + int.from_bytes(data[place : place + 4], "little")
            if end > len(data):
                raise ValueError("an element is longer than what is left")
            names.append(data[place + 4 : end].decode())
            place = end
    except ValueError as error:
        raise RequestError(f"The names of 'series' cannot be read ({error}).") from error
    return tuple(names)


def _matrix(rows: Any) -> NDArray[np.float64]:
    """Read rows of JSON; null is a missing value."""
    numbers = (int, float, NoneType)
    try:
        array = np.asarray(rows)
        if array.dtype == object and all(type(value) in numbers for value in array.flat):
            array = array.astype(np.float64)
    except (ValueError, OverflowError) as error:
        raise RequestError("The rows are of unequal length, or hold a vast number.") from error
    if array.ndim != 2 or not array.size or array.dtype.kind not in "iuf":
        raise RequestError(
            "'rows' must be a list of rows, each a list of numbers, one for each column of the "
            "model; null is a missing value."
        )
    return array.astype(np.float64)


def _texts(value: Any, what: str = "series") -> list[str]:
    if not isinstance(value, list) or not all(type(one) is str for one in value):
        raise RequestError(f"{what!r} is {kind_of(value)}; it must be a list of text.")
    return value


def _require_times(times: Any) -> None:
    kinds = (int, float, str)
    if not isinstance(times, list) or not all(type(time) in kinds for time in times):
        raise RequestError("'times' must be a list of numbers, or of dates as text.")
    if any(type(time) is str and len(time) > _TIME_LENGTH for time in times):
        raise RequestError(f"A time has more than {_TIME_LENGTH} characters; give an ISO 8601 one.")


def _require_one_a_row(rows: NDArray[Any], **others: Sequence[Any] | None) -> None:
    for what, values in others.items():
        if values is not None and len(values) != len(rows):
            raise RequestError(
                f"There are {len(rows)} rows and {len(values)} {what}; give one for each row."
            )
