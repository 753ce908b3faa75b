"""Replay of the golden windows through every runtime that is installed, and through Keras."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata, util
from os import PathLike
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from regimetry.check.golden import Golden, golden_path, read_golden
from regimetry.check.parity import (
    ParityReport,
    close_calls,
    excess,
    measure,
)
from regimetry.check.reader import SourceFile, read_source
from regimetry.check.runtimes import RUNTIMES, Outputs, Runtime
from regimetry.contract import ModelContract
from regimetry.errors import ConfigError, ModelError
from regimetry.runtime.jump import jump_forward
from regimetry.runtime.session import first_line
from regimetry.series.preprocessing import Preprocessing, Transform

KERAS = "keras"
RUNTIME_NAMES = (*(runtime.name for runtime in RUNTIMES), KERAS)


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What one runtime gave for the golden windows.

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


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What :func:`verify` found.

    Attributes
    ----------
    model, golden : Path
    precision : str
    windows, consecutive : int
        Golden windows, and how many of them follow each other and have causal labels.
    replays : tuple of Replay
        One a runtime, those that were not run included.
    """

    model: Path
    golden: Path
    precision: str
    windows: int
    consecutive: int
    replays: tuple[Replay, ...]

    @property
    def failures(self) -> tuple[Replay, ...]:
        """The replays that failed."""
        return tuple(replay for replay in self.replays if replay.failure is not None)


def verify(
    model: str | PathLike[str],
    *,
    golden: str | PathLike[str] | None = None,
    keras: str | PathLike[str] | None = None,
    runtimes: Sequence[str] | None = None,
) -> Verification:
    """Replay the golden windows of a model file through every runtime that is installed.

    Outputs are held to the tolerances of :mod:`regimetry.check.parity`, those of a float16 file
    to its own. Regimes and causal labels must be equal but where rounding decides them.

    Parameters
    ----------
    model : path
    golden : path or None
        ``None``: ``<stem>.golden.json`` beside the model.
    keras : path or None
        The encoder as Keras saved it; ``None``: ``<stem>.keras`` beside the model, if it is there.
    runtimes : sequence of str or None
        Names among :data:`RUNTIME_NAMES`; ``None``: all that can be used.

    Returns
    -------
    Verification

    Raises
    ------
    ModelError
        The model, the golden file or the Keras file is missing, damaged, or of another model.
    ConfigError
        A runtime that was asked for by name is unknown or cannot be used here.
    """
    asked = RUNTIME_NAMES if runtimes is None else tuple(runtimes)
    for name in asked:
        if name not in RUNTIME_NAMES:
            raise ConfigError(
                f"runtime is {name!r}; it must be one of {', '.join(map(repr, RUNTIME_NAMES))}."
            )
    file = read_source(model)
    path = golden_path(model) if golden is None else Path(golden)
    content = read_golden(path, file.contract)
    replays = [_replay(runtime, file, content) for runtime in RUNTIMES if runtime.name in asked]
    if KERAS in asked:
        replays.append(_replay_keras(file, content, None if keras is None else Path(keras)))
    for replay in replays:
        if runtimes is not None and replay.skipped is not None:
            raise ConfigError(f"{replay.runtime} cannot be used: {replay.skipped}.")
    return Verification(
        model=file.path,
        golden=path,
        precision=file.precision,
        windows=len(content.window),
        consecutive=len(content.labels_from_start),
        replays=tuple(replays),
    )


def _replay(runtime: Runtime, file: SourceFile, golden: Golden) -> Replay:
    missing = runtime.missing()
    if missing is not None:
        return Replay(runtime=runtime.name, skipped=missing)
    version = runtime.version()
    try:
        found = runtime.run(file.content, golden.window, input_name=file.input_name)
    except Exception as error:  # every runtime has exceptions of its own
        failure = f"it does not run the file ({first_line(error)})"
        return Replay(runtime=runtime.name, version=version, failure=failure)
    return _judge(runtime.name, version, found, golden, file.precision)


def _replay_keras(file: SourceFile, golden: Golden, path: Path | None) -> Replay:
    """Replay through the contract's preprocessing and the Keras encoder: the embedding alone."""
    beside = file.path.with_suffix(".keras")
    if path is None and not beside.is_file():
        skipped = f"no weights: {beside.name} is not there (`regimetry fit --keras` writes it)"
        return Replay(runtime=KERAS, skipped=skipped)
    if path is not None and not path.is_file():
        raise ModelError(f"There is no Keras file {path}. `regimetry fit --keras` writes one.")
    if util.find_spec("tensorflow") is None or util.find_spec("keras") is None:
        return Replay(runtime=KERAS, skipped="not installed: pip install 'regimetry[train]'")
    version = metadata.version("keras")
    windows = preprocess_windows(file.contract, golden.window)
    from regimetry.encoder.inference import embed_windows
    from regimetry.encoder.saving import load_encoder

    encoder = load_encoder(path or beside)
    if encoder.input.shape[1:] != windows.shape[1:]:
        failure = f"the encoder reads {encoder.input.shape[1:]}, not {windows.shape[1:]}"
        return Replay(runtime=KERAS, version=version, failure=failure)
    # The weights are float32 whatever the file computes in.
    found = {"embedding": embed_windows(encoder, windows)}
    return _judge(KERAS, version, found, golden, "float32")


def _judge(name: str, version: str, found: Outputs, golden: Golden, precision: str) -> Replay:
    for output, array in found.items():
        shape = golden.expected[output].shape
        if array.shape != shape:
            wrong = f"{output} has shape {array.shape}, not {shape}"
            return Replay(runtime=name, version=version, failure=wrong)
    report = measure(found, golden.expected, precision)
    difference = excess(report, precision)
    labels = None
    if "distance" in found and np.isfinite(found["distance"]).all():
        labels = _other_labels(found["distance"], golden, precision)
    if difference is None and labels:
        difference = f"{labels} of {len(golden.labels_from_start)} causal labels"
    failure = None if difference is None else f"it differs from the golden file: {difference}"
    return Replay(runtime=name, version=version, failure=failure, report=report, labels=labels)


def _other_labels(distance: NDArray[Any], golden: Golden, precision: str) -> int:
    """Count causal labels that differ, but for those that rounding decides."""
    run = slice(0, len(golden.labels_from_start))
    labels, _ = jump_forward(distance[run], golden.jump_penalty)
    _, costs = jump_forward(golden.distance[run], golden.jump_penalty)
    differs = labels != golden.labels_from_start
    return int(np.sum(differs & ~close_calls(costs, precision)))


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
