"""The encoder untrained and mean-pooled, then scikit-learn's spectral clustering.

RBF affinity at the median distance. A window that was not in the fit takes the label of the
training window nearest to its embedding: scikit-learn's own has no map for new points.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import pdist, squareform
from sklearn.cluster import SpectralClustering
from sklearn.neighbors import KNeighborsClassifier

from benchmarks.protocol import at_centre, at_last_bar
from benchmarks.rivals.fitted import Fitted, Labels, Values
from benchmarks.rivals.statistics import WINDOW
from regimetry.encoder.config import EncoderConfig
from regimetry.fit.encoder import fit_encoder
from regimetry.fit.options import FitOptions
from regimetry.fit.rows import cut_windows
from regimetry.series.units import fit_preprocessing
from regimetry.windows import Windows


def fit(kind: str, values: Values, n_regimes: int | None, seed: int) -> Fitted:
    """Fit; K must be given. A label of a window knows that window alone."""
    names = [f"x{i}" for i in range(values.shape[1])]
    preprocessing = fit_preprocessing(values, names, "auto")
    options = FitOptions(encoder=EncoderConfig(embedding_dim=64, pooling="mean"), seed=seed)
    windows = Windows.of(cut_windows(preprocessing, values, WINDOW))
    encoder = fit_encoder(options, windows, WINDOW)

    def embed(rows: Values) -> Values:
        return encoder.embed(cut_windows(preprocessing, rows, WINDOW))

    embeddings = embed(values)
    distance = squareform(pdist(embeddings))
    affinity = np.exp(-(distance**2) / (2 * np.median(distance) ** 2))
    model = SpectralClustering(n_regimes, affinity="precomputed", random_state=seed).fit(affinity)
    nearest = KNeighborsClassifier(1).fit(embeddings, model.labels_)

    def labels(rows: Values) -> Labels:
        return nearest.predict(embed(rows)).astype(np.int64)

    return Fitted(
        model.n_clusters,
        lambda rows: at_centre(labels(rows), len(rows), WINDOW),
        lambda rows: at_last_bar(labels(rows), len(rows)),
    )
