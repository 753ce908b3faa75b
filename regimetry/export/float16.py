"""A float16 file: the encoder's products in half precision, made only if it keeps the regimes.

Products, softmax, layer normalisation and the sums between them become float16; scaling, moments
and head stay float32, and so do inputs and outputs: large means, variances and distances need the
bits.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, shape_inference

from regimetry.check.parity import ParityReport, measure
from regimetry.contract import INPUT_NAME, OUTPUT_NAMES
from regimetry.errors import ModelError
from regimetry.runtime.batch import BATCH_SIZE, run_gathered
from regimetry.runtime.shared_session import SharedSession

LEAST_AGREEMENT = 0.995
"""Share of windows whose regime must stay, for a file to be written unasked."""

_PRODUCTS = frozenset({"Conv", "Gemm", "LayerNormalization", "MatMul"})
"""Always float16; layer normalisation computes its variance in float32 inside."""

_FOLLOWERS = frozenset({"Add", "Relu", "Reshape", "Softmax", "Squeeze", "Transpose", "Unsqueeze"})
"""float16 if an input is. So what guards a variance or a quotient, such as + 1e-8, is not."""

_REPEATS = 9


@dataclass(frozen=True, kw_only=True)
class HalfReport:
    """What the float16 file is like beside the float32 one, on this machine.

    Attributes
    ----------
    parity : ParityReport
        Differences of the outputs; its ``agreement`` counts every window.
    bytes_before, bytes_after : int
        Of the files.
    us_before, us_after : float
        Microseconds a window, in batches of up to 64, one thread; medians, measured in turn.
    device : str
        The execution provider that was measured.
    """

    parity: ParityReport
    bytes_before: int
    bytes_after: int
    us_before: float
    us_after: float
    device: str

    @property
    def agreement(self) -> float:
        """Share of windows with the same regime; 0 if any output is not a number."""
        if self.parity.agreement is None or None in self.parity.to_dict().values():
            return 0.0
        return self.parity.agreement

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return {**vars(self), "parity": self.parity.to_dict(), "agreement": self.agreement}


def to_float16(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph with the encoder's products in float16.

    Parameters
    ----------
    model : onnx.ModelProto
        Of the window form. Its metadata stay.

    Returns
    -------
    onnx.ModelProto
        Inputs and outputs are float32 still. Constants beyond float16's range end at its limits.

    Raises
    ------
    ModelError
        The graph has no scaling that ends in a Clip, so where its encoder begins is unknown.
    """
    conversion = _Conversion(model)
    for node in model.graph.node:
        conversion.add(node)
    return conversion.result()


class _Conversion:
    """A graph under conversion; casts stand where the precision changes, once a value."""

    # onnxruntime's own converter casts the result of every node that is to stay float32 down and
    # up again, and names two casts alike where two such nodes read one value.

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.nodes: list[onnx.NodeProto] = []
        self.constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self.outputs = {value.name for value in model.graph.output}
        self.floats = _float_values(model) | {
            name for name, tensor in self.constants.items() if tensor.data_type == TensorProto.FLOAT
        }
        self.encoder = _encoder_values(model.graph)
        self.half: set[str] = set()
        self.names: set[str] = set()

    def add(self, node: onnx.NodeProto) -> None:
        copy = onnx.NodeProto()
        copy.CopyFrom(node)
        if not self._becomes_half(node):
            copy.input[:] = [self._cast(name, "32") for name in node.input]
            self.nodes.append(copy)
            return
        copy.input[:] = [self._cast(name, "16") for name in node.input]
        self.nodes.append(copy)
        (name,) = node.output
        if name in self.outputs:  # stays float32 under its own name
            copy.output[0] = f"{name}/16"
            self.names.add(f"{name}/16")
            self._add_cast(f"{name}/16", name, TensorProto.FLOAT)
        else:
            self.half.add(name)

    def result(self) -> onnx.ModelProto:
        result = onnx.ModelProto()
        result.CopyFrom(self.model)
        used = {name for node in self.nodes for name in node.input}
        del result.graph.node[:]
        del result.graph.initializer[:]
        del result.graph.value_info[:]
        result.graph.node.extend(self.nodes)
        result.graph.initializer.extend(
            tensor for name, tensor in self.constants.items() if name in used
        )
        onnx.checker.check_model(result, full_check=True)
        return result

    def _becomes_half(self, node: onnx.NodeProto) -> bool:
        name = node.output[0]
        if len(node.output) != 1 or name not in self.encoder or name not in self.floats:
            return False
        follows = node.op_type in _FOLLOWERS and not self.half.isdisjoint(node.input)
        return follows or node.op_type in _PRODUCTS

    def _cast(self, name: str, bits: str) -> str:
        """Return the name of a value in the wanted precision; what is no float stays as it is."""
        if name not in self.floats or (name in self.half) == (bits == "16"):
            return name
        cast = f"{name}/{bits}"
        if cast in self.names:
            return cast
        self.names.add(cast)
        if name in self.constants:
            self.constants[cast] = _half_constant(self.constants[name], cast)
        else:
            self._add_cast(name, cast, getattr(TensorProto, f"FLOAT{bits}".replace("32", "")))
        return cast

    def _add_cast(self, name: str, result: str, kind: int) -> None:
        self.nodes.append(helper.make_node("Cast", [name], [result], f"{result}_cast", to=kind))


def _half_constant(tensor: onnx.TensorProto, name: str) -> onnx.TensorProto:
    limit = float(np.finfo(np.float16).max)
    values = np.clip(numpy_helper.to_array(tensor), -limit, limit).astype(np.float16)
    return numpy_helper.from_array(values, name)


def _float_values(model: onnx.ModelProto) -> set[str]:
    graph = shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    return {v.name for v in values if v.type.tensor_type.elem_type == TensorProto.FLOAT}


def _encoder_values(graph: onnx.GraphProto) -> set[str]:
    """Return the values between the end of the scaling and the embedding."""
    clips = [node.output[0] for node in graph.node if node.op_type == "Clip"]
    if not clips:
        raise ModelError(
            "The graph has no scaling that ends in a Clip; it is not one that `regimetry fit` "
            "writes. Fit and save again."
        )
    after = _reached(clips[:1], ((node.input, node.output) for node in graph.node))
    needed = _reached(["embedding"], ((node.output, node.input) for node in reversed(graph.node)))
    return (after & needed) - {clips[0]}


def _reached(
    start: Iterable[str], steps: Iterable[tuple[Iterable[str], Iterable[str]]]
) -> set[str]:
    """Return the names that steps lead to, taken in order."""
    found = set(start)
    for sources, targets in steps:
        if found.intersection(sources):
            found.update(targets)
    return found


def assess(before: bytes, after: bytes, windows: NDArray[np.floating]) -> HalfReport:
    """Run both files over windows, and time them.

    Parameters
    ----------
    before, after : bytes
        The float32 and the float16 file.
    windows : ndarray of float, shape (N, R, F)

    Returns
    -------
    HalfReport
    """
    sessions = [SharedSession(content) for content in (before, after)]
    expected, found = (run_gathered(session, windows, OUTPUT_NAMES) for session in sessions)
    batch = np.ascontiguousarray(windows[:BATCH_SIZE], dtype=np.float32)
    times = np.array([[_seconds(session, batch) for session in sessions] for _ in range(_REPEATS)])
    us_before, us_after = np.median(times, axis=0) / len(batch) * 1e6
    return HalfReport(
        parity=measure(found, expected, "float16"),
        bytes_before=len(before),
        bytes_after=len(after),
        us_before=float(us_before),
        us_after=float(us_after),
        device=sessions[1].provider,
    )


def _seconds(session: SharedSession, batch: NDArray[np.float32]) -> float:
    start = time.perf_counter()
    session.raw.run(None, {INPUT_NAME: batch})
    return time.perf_counter() - start
