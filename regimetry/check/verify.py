"""Replay of the golden windows through every runtime that is installed, and through Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.check.golden import Golden, golden_path, read_golden
from regimetry.check.parity import ParityReport, close_calls, excess, measure
from regimetry.check.reader import read_source
from regimetry.check.runtimes import RUNTIME_NAMES, RUNTIMES, Outputs, Runtime, Subject
from regimetry.contract import ALL_OUTPUTS
from regimetry.errors import ConfigError, RegimetryError
from regimetry.parameters import require_choice
from regimetry.runtime.recursion import Recursion
from regimetry.runtime.session import first_line

TOLERANCES = {output.name: output.tolerance for output in ALL_OUTPUTS}


@dataclass(frozen=True, kw_only=True)
class Replay:
    """The result of one runtime for the golden windows.

    Attributes
    ----------
    runtime : str
    version : str or None
    skipped : str or None
        Why it was not run.
    failure : str or None
        What went wrong or differs by more than is allowed.
    report : ParityReport or None
        Keras gives the embedding alone.
    labels : int or None
        Causal labels that differ.
    """

    runtime: str
    version: str | None = None
    skipped: str | None = None
    failure: str | None = None
    report: ParityReport | None = None
    labels: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return {**vars(self), "report": None if self.report is None else self.report.to_dict()}


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What :func:`verify` found.

    Attributes
    ----------
    model, golden : Path
    sha256 : str
        Of the model file.
    sealed : bool
        Whether the model file ends with its seal, which was checked.
    other_model : str or None
        SHA-256 of the model that the golden file was written for, if it is another one.
    windows, consecutive : int
        Golden windows, and how many of them follow each other and have causal labels.
    replays : tuple of Replay
        One per runtime, including those that were not run.
    """

    model: Path
    golden: Path
    sha256: str
    sealed: bool
    other_model: str | None
    windows: int
    consecutive: int
    replays: tuple[Replay, ...]

    @property
    def problem(self) -> str | None:
        """What failed and the remedy, or ``None``."""
        reasons = [f"{found.runtime}: {found.failure}" for found in self.replays if found.failure]
        if self.other_model is not None:
            reasons.append(
                f"its SHA-256 is {self.sha256}, and the golden file was written for a model of "
                f"{self.other_model}"
            )
        if not reasons:
            return None
        return (
            f"{self.model} fails: {'; '.join(reasons)}. Copy the model and its golden file again, "
            "or fit and save again."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain data."""
        return {
            **vars(self),
            "model": str(self.model),
            "golden": str(self.golden),
            "replays": [found.to_dict() for found in self.replays],
            "passed": self.problem is None,
        }


def verify(
    model: str | PathLike[str],
    *,
    golden: str | PathLike[str] | None = None,
    keras: str | PathLike[str] | None = None,
    runtimes: Sequence[str] | None = None,
    device: str = "cpu",
) -> Verification:
    """Replay the golden windows of a model file through every runtime that is installed.

    Outputs must lie within the tolerances of :data:`regimetry.contract.ALL_OUTPUTS`. Regimes and
    causal labels must be equal, except where rounding decides them.

    Parameters
    ----------
    model : path
    golden : path or None
        ``None``: ``<stem>.golden.json`` beside the model.
    keras : path or None
        The encoder as Keras saved it; ``None``: ``<stem>.keras`` beside the model, if it is there.
    runtimes : sequence of str or None
        Names among :data:`RUNTIME_NAMES`; ``None``: all that can be used.
    device : str
        Where onnxruntime computes, as for :func:`regimetry.load`.

    Returns
    -------
    Verification

    Raises
    ------
    ModelError
        The model, the golden file or the Keras file is missing, damaged, or of another model; or
        the model computes in float16.
    ConfigError
        A runtime that was asked for by name is unknown or cannot be used here.
    DeviceError
        The device did not load.
    """
    for name in runtimes or ():
        require_choice("runtime", name, RUNTIME_NAMES)
    file = read_source(model)
    file.require_float32()
    path = golden_path(file.path) if golden is None else Path(golden)
    content = read_golden(path, file.contract)
    encoder = file.path.with_suffix(".keras") if keras is None else Path(keras)
    at_hand = keras is not None or encoder.is_file()
    subject = Subject(file=file, encoder=encoder if at_hand else None, device=device)
    asked = RUNTIME_NAMES if runtimes is None else runtimes
    replays = [replay(runtime, subject, content) for runtime in RUNTIMES if runtime.name in asked]
    for found in replays:
        if runtimes is not None and found.skipped is not None:
            raise ConfigError(f"{found.runtime} cannot be used: {found.skipped}.")
    return Verification(
        model=file.path,
        golden=path,
        sha256=file.sha256,
        sealed=file.sealed,
        other_model=None if content.model in (None, file.sha256) else content.model,
        windows=len(content.window),
        consecutive=len(content.labels_from_start),
        replays=tuple(replays),
    )


def replay(runtime: Runtime, subject: Subject, golden: Golden) -> Replay:
    """Replay golden windows through one runtime, and check the outputs.

    Raises
    ------
    ModelError
        The Keras file is missing or damaged.
    DeviceError
        The device did not load.
    """
    missing = runtime.missing(subject)
    if missing is not None:
        return Replay(runtime=runtime.name, skipped=missing)
    version = runtime.version()
    try:
        found = runtime.run(subject, golden.window)
    except RegimetryError:  # of what was given, not of the runtime
        raise
    except Exception as error:  # every runtime has exceptions of its own
        failure = f"it does not run ({first_line(error)})"
        return Replay(runtime=runtime.name, version=version, failure=failure)
    for output, array in found.items():
        shape = golden.outputs[output].shape
        if array.shape != shape:
            wrong = f"{output} has shape {array.shape}, not {shape}"
            return Replay(runtime=runtime.name, version=version, failure=wrong)
    report = measure(found, golden.outputs)
    difference, labels = excess(report), _other_labels(found, golden)
    if difference is None and labels:
        difference = f"{labels} of {len(golden.labels_from_start)} causal labels"
    if difference is None:
        difference = _other_recursion(found, golden, Recursion.of(subject.file.contract))
    failed = None if difference is None else f"it differs from the golden file: {difference}"
    return Replay(
        runtime=runtime.name, version=version, failure=failed, report=report, labels=labels
    )


def _other_labels(found: Outputs, golden: Golden) -> int | None:
    """Count causal labels that differ, except those that rounding decides."""
    distance: NDArray[Any] | None = found.get("distance")
    if distance is None or not np.isfinite(distance).all():
        return None
    run = slice(0, len(golden.labels_from_start))
    recursion = Recursion(golden.jump_penalty)
    _, states = recursion(golden.outputs["distance"][run])
    differs = recursion.labels(distance[run]) != golden.labels_from_start
    return int(np.sum(differs & ~close_calls(states.costs)))


def _other_recursion(found: Outputs, golden: Golden, recursion: Recursion) -> str | None:
    """Say what of probabilities and novel flags differs, except flags that rounding decides."""
    probabilities, novel = golden.probabilities_from_start, golden.novel_from_start
    if probabilities is None or novel is None or not found.keys() >= {"distance", "novelty"}:
        return None
    run = slice(0, len(golden.labels_from_start))
    labels, states = recursion(found["distance"][run], found["novelty"][run])
    worst = np.abs(labels.probability - probabilities).max()
    # A softmax moves by at most this much if each cost does by the tolerance of a distance.
    allowed = 2 * TOLERANCES["distance"] * max(1.0, recursion.sharpness)
    if not worst <= allowed:
        return f"probability by {worst:.3g}, where {allowed:.3g} is allowed"
    margin = TOLERANCES["novelty"] * max(1.0, float(np.abs(states.means).max()))
    differs = (labels.novel != novel) & (np.abs(states.means - recursion.threshold) > margin)
    return f"{differs.sum()} of {len(novel)} novel flags" if differs.any() else None
