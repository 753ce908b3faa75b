"""From a fit to the contract of its file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import transition_matrix
from regimetry.contract import ModelContract, TrainingRecord
from regimetry.regimes.summary import fit_sharpness, summarise
from regimetry.runtime.jump import jump_forward, jump_path
from regimetry.series.panel import Panel
from regimetry.series.preprocessing import Preprocessing
from regimetry.series.scaling import InstrumentScaling
from regimetry.series.schema import Schema
from regimetry.windows import begins_of

_VERSIONS = ("regimetry", "tensorflow", "keras", "tf2onnx", "onnx", "scikit-learn", "numpy")


def describe(
    schema: Schema,
    panel: Panel,
    preprocessing: Preprocessing,
    outputs: Mapping[str, NDArray[Any]],
    *,
    window_size: int,
    jump_penalty: float,
    smooth_penalty: float,
    evidence: str,
    novelty_threshold: float,
    by: str | None = None,
    scaling: InstrumentScaling | None = None,
    names: Sequence[str] | None = None,
    training: TrainingRecord,
) -> ModelContract:
    """Label the training windows, and write down what the file must say about itself.

    Parameters
    ----------
    schema : Schema
    panel : Panel
        The training rows, in common units.
    preprocessing : Preprocessing
    outputs : mapping
        Of the graph on all training windows.
    window_size : int
        W.
    jump_penalty, smooth_penalty : float
        Of the causal and of the whole-series labels.
    evidence : {"window", "bar"}
        What the distances speak of.
    novelty_threshold : float
        Of the running mean of novelty.
    by : str or None
        Column that named the instruments.
    scaling : InstrumentScaling or None
        What brought the rows to common units.
    names : sequence of str or None
        Of the regimes; ``None`` numbers them.
    training : TrainingRecord
        To keep in the file; windows, span, fingerprint and versions are added.

    Returns
    -------
    ModelContract
    """
    distance = outputs["distance"]
    n_regimes = distance.shape[1]
    window_rows = window_size + preprocessing.lag
    offsets = panel.boundaries(window_rows)
    begins = begins_of(offsets)
    labels, costs = jump_forward(distance, jump_penalty, offsets=offsets)
    hindsight = jump_path(distance, smooth_penalty, offsets)
    features = np.concatenate(
        [preprocessing.transform(rows)[window_size - 1 :] for rows in panel.parts()]
    )
    matrix = transition_matrix(labels, n_regimes, begins)
    contract = ModelContract(
        window_size=window_size,
        window_rows=window_rows,
        schema=schema,
        transforms=preprocessing.transforms,
        mean=tuple(preprocessing.mean.tolist()),
        scale=tuple(preprocessing.scale.tolist()),
        clip=preprocessing.clip,
        embedding_size=outputs["embedding"].shape[1],
        regimes=summarise(labels, features, n_regimes, names, begins),
        transition_matrix=tuple(map(tuple, matrix.tolist())),
        jump_penalty=jump_penalty,
        smooth_penalty=smooth_penalty,
        sharpness=1.0,
        evidence=evidence,
        novelty_memory=1.0 / window_size,
        novelty_threshold=novelty_threshold,
        by=by,
        scaling=scaling,
        training=replace(
            training,
            windows=len(distance),
            start=_time(panel.timestamps, np.min),
            end=_time(panel.timestamps, np.max),
            fingerprint=fingerprint(panel.values, schema.feature_names),
            versions={name: metadata.version(name) for name in _VERSIONS},
        ),
    )
    sharpness = fit_sharpness(costs, hindsight, contract.bars_until_label, offsets)
    return replace(contract, sharpness=sharpness)


def fingerprint(values: NDArray[np.floating], names: Sequence[str]) -> str:
    """Return the SHA-256 of the feature names and the values as float32, row by row."""
    digest = hashlib.sha256("\x1f".join(names).encode())
    digest.update(np.ascontiguousarray(values, dtype="<f4").tobytes())
    return digest.hexdigest()


def _time(timestamps: NDArray[Any] | None, which: Callable[[NDArray[Any]], Any]) -> str | None:
    if timestamps is None:
        return None
    time = which(timestamps)
    return (
        str(np.datetime_as_string(time, unit="auto")) if timestamps.dtype.kind == "M" else str(time)
    )
