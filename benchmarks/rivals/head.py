"""The head on other features than a trained encoder's: what the encoder is worth."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.protocol import at_centre, at_last_bar
from benchmarks.rivals.fitted import Fitted, Labels, Values
from benchmarks.rivals.statistics import window_statistics
from regimetry import RegimeDetector
from regimetry.learning import cut_windows, learn
from regimetry.regimes.head import Head, fit_head
from regimetry.runtime.jump import jump_labels, jump_path
from regimetry.series.preprocessing import fit_preprocessing

DEFAULTS = RegimeDetector()


def fit_untrained(kind: str, values: Values, n_regimes: int | None, seed: int) -> Fitted:
    """Fit the detector without training its encoder; no file is made."""
    from regimetry.encoder.inference import embed_windows

    learned = learn(
        values,
        _names(values),
        window_size=DEFAULTS.window_size,
        n_regimes=n_regimes,
        objective=None,
        difference=DEFAULTS.difference,
        n_landmarks=DEFAULTS.n_landmarks,
        seed=seed,
    )

    def features(rows: Values) -> Values:
        windows = cut_windows(learned.preprocessing, rows, DEFAULTS.window_size)
        return embed_windows(learned.encoder, windows)

    return _labelled_by(learned.head, features)


def fit_statistics(kind: str, values: Values, n_regimes: int | None, seed: int) -> Fitted:
    """Fit the head on window statistics: the same preprocessing and windows, no network."""
    preprocessing = fit_preprocessing(values, _names(values), DEFAULTS.difference)

    def features(rows: Values) -> Values:
        return window_statistics(cut_windows(preprocessing, rows, DEFAULTS.window_size))

    windows = cut_windows(preprocessing, values, DEFAULTS.window_size)
    head = fit_head(
        features(values),
        windows.std(axis=1).mean(axis=1),
        n_regimes=n_regimes,
        lag=DEFAULTS.window_size,
        n_landmarks=DEFAULTS.n_landmarks,
        seed=seed,
    )
    return _labelled_by(head, features)


def _names(values: Values) -> list[str]:
    return [f"x{i}" for i in range(values.shape[1])]


def _labelled_by(head: Head, features: Callable[[Values], Values]) -> Fitted:
    def distance(rows: Values) -> Values:
        return head.outputs(features(rows))["distance"]

    def offline(rows: Values) -> Labels:
        labels = jump_path(distance(rows), DEFAULTS.smooth_penalty)
        return at_centre(labels, len(rows), DEFAULTS.window_size)

    def causal(rows: Values) -> Labels:
        labels, _ = jump_labels(distance(rows), DEFAULTS.jump_penalty)
        return at_last_bar(labels, len(rows))

    return Fitted(len(head.centroids), offline, causal)
