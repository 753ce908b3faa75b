"""jumpmodels' statistical jump model on window statistics: window 10, penalty 30."""

from __future__ import annotations

import numpy as np
from jumpmodels.jump import JumpModel
from jumpmodels.preprocess import StandardScalerPD

from benchmarks.protocol import at_centre, at_last_bar
from benchmarks.rivals.fitted import Fitted, Values
from benchmarks.rivals.statistics import WINDOW, window_statistics
from regimetry import rolling_windows

PENALTY = 30.0


def fit(kind: str, values: Values, n_regimes: int | None, seed: int) -> Fitted:
    """Fit; K must be given."""
    channels = StandardScalerPD().fit(values)

    def statistics(rows: Values) -> Values:
        return window_statistics(rolling_windows(channels.transform(rows), WINDOW))

    scaler = StandardScalerPD().fit(statistics(values))

    def features(rows: Values) -> Values:
        return scaler.transform(statistics(rows))

    model = JumpModel(n_regimes, jump_penalty=PENALTY, random_state=seed).fit(features(values))
    return Fitted(
        model.n_components,
        lambda rows: at_centre(_integers(model.predict(features(rows))), len(rows), WINDOW),
        lambda rows: at_last_bar(_integers(model.predict_online(features(rows))), len(rows)),
    )


def _integers(labels: Values) -> np.ndarray:
    return np.asarray(labels).astype(np.int64)
