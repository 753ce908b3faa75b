"""From a fit to the contract of its file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import metadata
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import transition_matrix
from regimetry.contract import ModelContract
from regimetry.regimes.summary import fit_sharpness, summarise
from regimetry.runtime.jump import jump_forward, jump_path
from regimetry.series.preprocessing import Preprocessing
from regimetry.series.schema import Schema
from regimetry.series.series import Series

_VERSIONS = ("regimetry", "tensorflow", "keras", "tf2onnx", "onnx", "scikit-learn", "numpy")


def describe(
    schema: Schema,
    series: Series,
    preprocessing: Preprocessing,
    outputs: Mapping[str, NDArray[Any]],
    *,
    window_size: int,
    jump_penalty: float,
    smooth_penalty: float,
    evidence: str,
    novelty_threshold: float,
    names: Sequence[str] | None = None,
    training: Mapping[str, Any],
) -> ModelContract:
    """Label the training windows, and write down what the file must say about itself.

    Parameters
    ----------
    schema : Schema
    series : Series
        The training rows.
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
    names : sequence of str or None
        Of the regimes; ``None`` numbers them.
    training : mapping
        Plain data to keep about the fit; span, fingerprint and versions are added.

    Returns
    -------
    ModelContract
    """
    distance = outputs["distance"]
    n_regimes = distance.shape[1]
    labels, costs = jump_forward(distance, jump_penalty)
    hindsight = jump_path(distance, smooth_penalty)
    features = preprocessing.transform(series.values)[window_size - 1 :]
    matrix = transition_matrix(labels, n_regimes)
    contract = ModelContract(
        window_size=window_size,
        window_rows=window_size + preprocessing.lag,
        schema=schema,
        transforms=preprocessing.transforms,
        mean=tuple(preprocessing.mean.tolist()),
        scale=tuple(preprocessing.scale.tolist()),
        clip=preprocessing.clip,
        embedding_size=outputs["embedding"].shape[1],
        regimes=summarise(labels, features, n_regimes, names),
        transition_matrix=tuple(map(tuple, matrix.tolist())),
        jump_penalty=jump_penalty,
        smooth_penalty=smooth_penalty,
        sharpness=1.0,
        evidence=evidence,
        novelty_memory=1.0 / window_size,
        novelty_threshold=novelty_threshold,
        training={
            **training,
            "rows": len(series.values),
            "windows": len(distance),
            "start": _time(series.timestamps, 0),
            "end": _time(series.timestamps, -1),
            "fingerprint": fingerprint(series.values, schema.feature_names),
            "versions": {name: metadata.version(name) for name in _VERSIONS},
        },
    )
    return replace(contract, sharpness=fit_sharpness(costs, hindsight, contract.bars_until_label))


def fingerprint(values: NDArray[np.floating], names: Sequence[str]) -> str:
    """Return the SHA-256 of the feature names and the values as float32, row by row."""
    digest = hashlib.sha256("\x1f".join(names).encode())
    digest.update(np.ascontiguousarray(values, dtype="<f4").tobytes())
    return digest.hexdigest()


def _time(timestamps: NDArray[Any] | None, row: int) -> str | None:
    if timestamps is None:
        return None
    time = timestamps[row]
    return (
        str(np.datetime_as_string(time, unit="auto")) if timestamps.dtype.kind == "M" else str(time)
    )
