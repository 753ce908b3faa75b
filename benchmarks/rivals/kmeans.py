"""k-means on raw windows of 10 bars, every channel z-scored."""

from __future__ import annotations

import numpy as np
from sklearn.cluster import KMeans

from benchmarks.protocol import at_centre, at_last_bar
from benchmarks.rivals.fitted import Fitted, Labels, Values
from benchmarks.rivals.statistics import WINDOW
from regimetry import rolling_windows


def fit(kind: str, values: Values, n_regimes: int | None, seed: int) -> Fitted:
    """Fit; K must be given. A label of a window knows that window alone."""
    mean, deviation = values.mean(axis=0), values.std(axis=0)

    def windows(rows: Values) -> Values:
        view = rolling_windows((rows - mean) / deviation, WINDOW)
        return view.reshape(len(view), -1)

    model = KMeans(n_regimes, n_init=10, random_state=seed).fit(windows(values))

    def labels(rows: Values) -> Labels:
        return model.predict(windows(rows)).astype(np.int64)

    return Fitted(
        model.n_clusters,
        lambda rows: at_centre(labels(rows), len(rows), WINDOW),
        lambda rows: at_last_bar(labels(rows), len(rows)),
    )
