"""The runtimes that can replay golden windows here, and the reason if one cannot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module, util
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from regimetry.check.reader import SourceFile
from regimetry.contract import INPUT_NAME, ModelContract, Signature
from regimetry.runtime.providers import installed_versions
from regimetry.runtime.shared_session import SharedSession
from regimetry.series.preprocessing import Preprocessing, Transform

Outputs = dict[str, NDArray[Any]]


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The model that is replayed.

    Attributes
    ----------
    file : SourceFile
        Of either form; the series form reads each window as a series, which gives one row.
    encoder : Path or None
        The encoder as Keras saved it, if it is at hand.
    device : str
        Where onnxruntime computes, as for :func:`regimetry.load`.
    """

    file: SourceFile
    encoder: Path | None = None
    device: str = "cpu"

    @property
    def outputs(self) -> list[str]:
        """The names of the graph's outputs."""
        return Signature.of(self.file.contract).output_names


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
    run : callable
        From a subject and raw windows (N, R, F) to the outputs that it gives, N rows each.
    prepare : callable
        Runs before the module is imported; returns what else is missing, or ``None``.
    """

    name: str
    module: str
    distributions: tuple[str, ...]
    run: Callable[[Subject, NDArray[np.float32]], Outputs]
    prepare: Callable[[Subject], str | None] = lambda _: None

    def missing(self, subject: Subject) -> str | None:
        """Return why the runtime cannot be used here, or ``None``."""
        lacking = self.prepare(subject)
        if lacking is not None:
            return lacking
        if util.find_spec(self.module) is None:
            return f"not installed: pip install {self.distributions[0]}"
        try:
            import_module(self.module)
        except Exception as error:  # a broken installation can raise anything
            return f"installed, but does not import ({type(error).__name__}: {error})"
        return None

    def version(self) -> str:
        """Return the version that is installed."""
        return next(iter(installed_versions(self.distributions).values()), "unknown")


def _onnxruntime(subject: Subject, windows: NDArray[np.float32]) -> Outputs:
    session = SharedSession(subject.file.content, device=subject.device).raw
    return _run_graph(subject, windows, lambda feeds: session.run(subject.outputs, feeds))


def _reference(subject: Subject, windows: NDArray[np.float32]) -> Outputs:
    from onnx.reference import ReferenceEvaluator

    evaluator = ReferenceEvaluator(subject.file.graph())
    # Its Sigmoid computes both of its forms everywhere, and takes the one that is finite.
    with np.errstate(over="ignore", invalid="ignore"):
        return _run_graph(subject, windows, lambda feeds: evaluator.run(subject.outputs, feeds))


def _openvino(subject: Subject, windows: NDArray[np.float32]) -> Outputs:
    import openvino

    core = openvino.Core()
    # Left to itself, OpenVINO computes in bfloat16 on processors that have it: embeddings are then
    # off by several percent, and of the S&P 500's regimes 3 to 17 % differ.
    options = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = core.compile_model(core.read_model(subject.file.content), "CPU", options)

    def compute(feeds: dict[str, Any]) -> list[NDArray[Any]]:
        found = compiled(feeds)
        return [np.array(found[name]) for name in subject.outputs]

    return _run_graph(subject, windows, compute)


def _run_graph(
    subject: Subject,
    windows: NDArray[np.float32],
    compute: Callable[[dict[str, Any]], Any],
) -> Outputs:
    """Feed a graph of either form; ``compute`` gives the outputs in their order."""
    name = subject.file.input_name
    parts = [compute({name: part}) for part in ([windows] if name == INPUT_NAME else windows)]
    return {
        name: np.concatenate(found) for name, *found in zip(subject.outputs, *parts, strict=True)
    }


def _keras(subject: Subject, windows: NDArray[np.float32]) -> Outputs:
    """Run the contract's preprocessing and the Keras encoder, which give the embedding alone."""
    from regimetry.encoder.inference import embed_windows
    from regimetry.encoder.saving import load_encoder

    encoder = load_encoder(cast("Path", subject.encoder))
    return {"embedding": embed_windows(encoder, preprocess_windows(subject.file.contract, windows))}


def preprocess_windows(
    contract: ModelContract, windows: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what the encoder sees of raw windows: (N, R, F) to (N, W, F), by the contract."""
    preprocessing = Preprocessing(
        transforms=cast("tuple[Transform, ...]", contract.transforms),
        mean=np.array(contract.mean, dtype=np.float32),
        scale=np.array(contract.scale, dtype=np.float32),
        clip=contract.clip,
    )
    return np.stack([preprocessing.apply(window) for window in windows])


def _prepare_keras(subject: Subject) -> str | None:
    if subject.encoder is None:
        beside = subject.file.path.with_suffix(".keras").name
        return f"no weights: {beside} is not there (`regimetry fit --keras` writes it)"
    if util.find_spec("tensorflow") is None or util.find_spec("keras") is None:
        return "not installed: pip install 'regimetry[train]'"
    from regimetry.encoder.quiet import import_tensorflow_quietly

    import_tensorflow_quietly()
    return None


ONNXRUNTIME = Runtime(
    "onnxruntime", "onnxruntime", ("onnxruntime", "onnxruntime-gpu"), _onnxruntime
)
RUNTIMES = (
    ONNXRUNTIME,
    Runtime("reference", "onnx", ("onnx",), _reference),
    Runtime("openvino", "openvino", ("openvino",), _openvino),
    Runtime("keras", "keras", ("keras",), _keras, _prepare_keras),
)
"""In the order in which they are tried; ``reference`` is ONNX's own evaluator, in numpy."""

RUNTIME_NAMES = tuple(runtime.name for runtime in RUNTIMES)
