"""Recordings with known states, by the protocol of Time2State (2023) and E2USD (2024).

z-normalised; windows of 256 every 50 bars (synthetic) or of 128 every 25 (ActRecTut); each bar
takes the vote of the windows over it; all bars are scored. The detector chooses its own window size
instead, and labels every bar. They lie in the folder ``state_detection`` of the folder that
``REGIMETRY_DATA`` names.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

import regimetry as rg
from benchmarks.outside.scores import filled
from benchmarks.rivals.fitted import Labels, Values
from regimetry import rolling_windows
from regimetry.encoder.config import DEFAULT_ENCODER

WINDOWS = {"synthetic": (256, 50), "actrectut": (128, 25)}
"""Family -> window and step."""

RECORDING_SEED = 0

Windows = NDArray[np.float32]


def available() -> tuple[str, ...]:
    """Return the names of the recordings that are there; none if ``REGIMETRY_DATA`` is not set."""
    folder = os.environ.get("REGIMETRY_DATA")
    files = sorted(Path(folder, "state_detection").glob("*.npz")) if folder else []
    return tuple(file.stem for file in files if family(file.stem) in WINDOWS)


def family(name: str) -> str:
    """Return the family of a recording."""
    return name.rpartition("_")[0]


def load_recording(name: str) -> tuple[Values, Labels]:
    """Return the z-normalised bars (T, F) of a recording and their states (T,)."""
    with np.load(Path(os.environ["REGIMETRY_DATA"], "state_detection", f"{name}.npz")) as file:
        values, states = file["values"].astype(np.float64), file["states"].astype(np.int64)
    return (values - values.mean(axis=0)) / np.maximum(values.std(axis=0), 1e-12), states


def score_recording(name: str, method: str, seed: int) -> dict[str, Any]:
    """Label a recording, K given, and score every bar."""
    values, states = load_recording(name)
    size, step = WINDOWS[family(name)]
    n_regimes = len(np.unique(states))
    if method == "hmm":
        labels = _label_rows(values, n_regimes, seed)
    elif method == "detector":
        detector = rg.RegimeDetector(n_regimes=n_regimes, random_state=seed).fit(values)
        labels = filled(detector.smooth(values))
    else:
        windows = rolling_windows(values.astype(np.float32), size)[::step]
        labels = vote(
            WINDOWED[method](windows, n_regimes, seed, max(1, size // step)),
            size,
            step,
            len(values),
        )
    return {
        "n_regimes": n_regimes,
        "true_n_regimes": n_regimes,
        "ari": float(adjusted_rand_score(states, labels)),
        "nmi": float(normalized_mutual_info_score(states, labels)),
    }


def vote(window_labels: Labels, size: int, step: int, n_rows: int) -> Labels:
    """Give every bar (T,) the label of most of the windows over it, the smallest if they tie.

    Bars that no window covers, at the end, take the label of the last that one covers.
    """
    votes = np.zeros((n_rows, int(window_labels.max()) + 1), dtype=np.int64)
    for window, label in enumerate(window_labels):
        votes[window * step : window * step + size, label] += 1
    labels = votes.argmax(axis=1)
    covered = (len(window_labels) - 1) * step + size
    labels[covered:] = labels[covered - 1]
    return labels


def _label_rows(values: Values, n_regimes: int, seed: int) -> Labels:
    from benchmarks.rivals.hmm import fit

    return fit("recording", values, n_regimes, seed).offline(values)


def _label_by_head(
    features: Values, windows: Windows, n_regimes: int, seed: int, lag: int
) -> Labels:
    from benchmarks.rivals.head import DEFAULTS
    from regimetry.regimes.clustering.head import fit_head
    from regimetry.runtime.recursion import jump_path

    head = fit_head(
        features,
        windows.std(axis=1).mean(axis=1),
        n_regimes=n_regimes,
        lag=lag,
        n_landmarks=DEFAULTS.n_landmarks,
        seed=seed,
    )
    return jump_path(head.outputs(features)["distance"], head.penalty)


def _windows(windows: Windows, n_regimes: int, seed: int, lag: int) -> Labels:
    embeddings = embed_untrained(np.clip(windows, -6.0, 6.0), seed)
    return _label_by_head(embeddings, windows, n_regimes, seed, lag)


def embed_untrained(windows: Windows, seed: int) -> Windows:
    """Embed windows (N, W, F) by an encoder of random weights."""
    from regimetry.fit.encoder import fit_encoder
    from regimetry.fit.options import FitOptions
    from regimetry.windows import Windows as Several

    encoder = replace(DEFAULT_ENCODER, convolutions=None)
    options = FitOptions(seed=seed, encoder=encoder)
    return fit_encoder(options, Several.of(windows), windows.shape[1]).embed(windows)


def _statistics(windows: Windows, n_regimes: int, seed: int, lag: int) -> Labels:
    from benchmarks.rivals.statistics import window_statistics

    return _label_by_head(window_statistics(windows), windows, n_regimes, seed, lag)


def _jump(windows: Windows, n_regimes: int, seed: int, lag: int) -> Labels:
    from jumpmodels.jump import JumpModel
    from sklearn.preprocessing import StandardScaler

    from benchmarks.rivals.jump import PENALTY
    from benchmarks.rivals.statistics import window_statistics

    features = StandardScaler().fit_transform(window_statistics(windows))
    model = JumpModel(n_regimes, jump_penalty=PENALTY, random_state=seed).fit(features)
    return np.asarray(model.labels_).astype(np.int64)


def _features(windows: Windows, n_regimes: int, seed: int, lag: int) -> Labels:
    from sklearn.cluster import KMeans

    from benchmarks.rivals.features import hand_features

    features = hand_features(windows)
    return KMeans(n_regimes, n_init=10, random_state=seed).fit_predict(features).astype(np.int64)


WINDOWED: dict[str, Callable[[Windows, int, int, int], Labels] | None] = {
    "windows": _windows,
    "statistics": _statistics,
    "jump": _jump,
    "features": _features,
    "hmm": None,
    "detector": None,
}
"""Methods that label recordings; the HMM labels the bars, the detector has windows of its own."""
