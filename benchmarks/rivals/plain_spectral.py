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
from regimetry.fit.rows import cut_windows
from regimetry.series.units import fit_preprocessing


def fit(kind: str, values: Values, n_regimes: int | None, seed: int) -> Fitted:
    """Fit; K must be given. A label of a window knows that window alone."""
    from regimetry.encoder.build import build_encoder
    from regimetry.encoder.inference import embed_windows
    from regimetry.encoder.seeding import seeded

    names = [f"x{i}" for i in range(values.shape[1])]
    preprocessing = fit_preprocessing(values, names, "auto")
    with seeded(seed):
        encoder = build_encoder(
            EncoderConfig(
                window_size=WINDOW, num_features=values.shape[1], embedding_dim=64, pooling="mean"
            )
        )

    def embed(rows: Values) -> Values:
        return embed_windows(encoder, cut_windows(preprocessing, rows, WINDOW))

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
