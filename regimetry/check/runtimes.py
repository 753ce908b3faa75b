"""The runtimes that a model file can be replayed through here, and why one cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, metadata, util
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import INPUT_NAME, OUTPUT_NAMES
from regimetry.runtime.session import open_session

Outputs = dict[str, NDArray[Any]]
Call = Callable[[str, NDArray[np.float32]], Outputs]
"""From the name of the input and its value to the outputs by name."""


@dataclass(frozen=True)
class Runtime:
    """One runtime.

    Attributes
    ----------
    name : str
    module : str
        What must be importable.
    distributions : tuple of str
        Of which one carries the module; the first is what to install.
    open : callable
        From the content of a model file to a :data:`Call`.
    """

    name: str
    module: str
    distributions: tuple[str, ...]
    open: Callable[[bytes], Call]

    def missing(self) -> str | None:
        """Return why the runtime cannot be used here, or ``None``."""
        if util.find_spec(self.module) is None:
            return f"not installed: pip install {self.distributions[0]}"
        try:
            import_module(self.module)
        except Exception as error:  # a broken installation can raise anything
            return f"installed, but does not import ({type(error).__name__}: {error})"
        return None

    def version(self) -> str:
        """Return the version that is installed."""
        for distribution in self.distributions:
            try:
                return metadata.version(distribution)
            except metadata.PackageNotFoundError:
                continue
        return "unknown"

    def run(
        self, content: bytes, windows: NDArray[np.float32], *, input_name: str = INPUT_NAME
    ) -> Outputs:
        """Run windows through a model file.

        Parameters
        ----------
        content : bytes
            Of the model file.
        windows : ndarray of float32, shape (N, R, F)
        input_name : {"window", "series"}
            The form of the graph. The series form reads each window as a series of R rows, which
            gives one row.

        Returns
        -------
        dict
            ``embedding``, ``distance``, ``regime``, ``novelty``, N rows each.
        """
        call = self.open(content)
        if input_name == INPUT_NAME:
            return call(INPUT_NAME, windows)
        parts = [call(input_name, window) for window in windows]
        return {name: np.concatenate([part[name] for part in parts]) for name in OUTPUT_NAMES}


def _onnxruntime(content: bytes) -> Call:
    session = open_session(content, device="cpu")

    def call(name: str, value: NDArray[np.float32]) -> Outputs:
        found = session.run(list(OUTPUT_NAMES), {name: value})
        return dict(zip(OUTPUT_NAMES, found, strict=True))

    return call


def _reference(content: bytes) -> Call:
    import onnx
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(onnx.load_from_string(content))

    def call(name: str, value: NDArray[np.float32]) -> Outputs:
        found = evaluator.run(list(OUTPUT_NAMES), {name: value})
        return dict(zip(OUTPUT_NAMES, map(np.asarray, found), strict=True))

    return call


def _openvino(content: bytes) -> Call:
    import openvino

    core = openvino.Core()
    # Left to itself, OpenVINO computes in bfloat16 on processors that have it.
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(content), "CPU", options)

    def call(name: str, value: NDArray[np.float32]) -> Outputs:
        found = compiled({name: value})
        return {output: np.array(found[output]) for output in OUTPUT_NAMES}

    return call


ONNXRUNTIME = Runtime(
    "onnxruntime", "onnxruntime", ("onnxruntime", "onnxruntime-gpu"), _onnxruntime
)
RUNTIMES = (
    ONNXRUNTIME,
    Runtime("reference", "onnx", ("onnx",), _reference),
    Runtime("openvino", "openvino", ("openvino",), _openvino),
)
"""In the order in which they are tried; ``reference`` is ONNX's own evaluator, in numpy."""
