"""Tensors as the Open Inference Protocol describes and carries them; numpy only."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import INPUT_NAME, Signature, Tensor
from regimetry.errors import DataError
from regimetry.runtime.model import RegimeModel

DATATYPES = {"float32": "FP32", "float64": "FP64", "int64": "INT64", "bool": "BOOL"}
"""The protocol's names of the types that a model reads and gives, and pushes to series."""


class RequestError(DataError):
    """A request that is refused, with the HTTP status that says of what kind the refusal is."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.status = status


def served(model: RegimeModel) -> Signature:
    """Return what the service reads and gives.

    Bars come in double precision: returns are small differences of large prices.
    """
    signature = Signature.of(model.contract)
    if model.rows == model.contract.window_rows:
        return signature
    shape = (model.rows, len(model.schema.feature_names))
    return replace(signature, input=Tensor(INPUT_NAME, np.dtype(np.float64), shape))


def described(tensor: Tensor) -> dict[str, Any]:
    """Return the protocol's metadata of a tensor; -1 stands for the batch."""
    return {
        "name": tensor.name,
        "datatype": DATATYPES[tensor.dtype.name],
        "shape": [-1, *tensor.shape],
    }


def require_shape(value: Any, tensor: Tensor, max_batch: int) -> tuple[int, ...]:
    """Return the shape that a request states, which must be the tensor's."""
    fits = (
        isinstance(value, list)
        and all(type(size) is int for size in value)
        and len(value) == 1 + len(tensor.shape)
        and tuple(value[1:]) == tensor.shape
        and value[0] > 0
    )
    if not fits:
        raise RequestError(
            f"Input {tensor.name!r} has shape {str(value)[:80]}; the model reads "
            f"{[-1, *tensor.shape]}, where -1 is the batch."
        )
    if value[0] > max_batch:
        raise RequestError(
            f"The batch has {value[0]} windows; this server takes {max_batch} at most. Split it."
        )
    return tuple(value)


def from_binary(
    size: Any, tail: memoryview, shape: tuple[int, ...], tensor: Tensor
) -> NDArray[Any]:
    """Read raw little-endian data: a view of the body where the machine's order allows it."""
    dtype = tensor.dtype.newbyteorder("<")
    expected, kind = math.prod(shape) * dtype.itemsize, DATATYPES[tensor.dtype.name]
    stated = (f"binary_data_size of {tensor.name!r} is", size)
    for what, found in (stated, ("The bytes after the JSON object are", len(tail))):
        if type(found) is not int or found != expected:
            raise RequestError(
                f"{what} {str(found)[:40]}; shape {list(shape)} of {kind} takes {expected}."
            )
    return np.frombuffer(tail, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def from_json(data: Any, shape: tuple[int, ...], tensor: Tensor) -> NDArray[Any]:
    """Read data from JSON: nested as the shape says, or one list in row-major order."""
    try:
        array = np.asarray(data)
    except ValueError as error:
        raise RequestError(f"The data of {tensor.name!r} are lists of unequal length.") from error
    if array.dtype.kind not in "iuf":
        raise RequestError(f"The data of {tensor.name!r} are not all numbers.")
    if array.shape not in (shape, (math.prod(shape),)):
        raise RequestError(
            f"The data of {tensor.name!r} have shape {list(array.shape)}; it must be "
            f"{list(shape)}, or one list of {math.prod(shape)} numbers."
        )
    with np.errstate(over="ignore"):  # what the type does not hold becomes infinite, and is refused
        return array.astype(tensor.dtype).reshape(shape)
