"""The mixture of Gaussians of scikit-learn, which ours is held against."""

import numpy as np
from sklearn.mixture import GaussianMixture

from regimetry.regimes.clustering.clusters import cluster_centres, nearest


def started(count, values, *, ridge, seed):
    """scikit-learn's mixture, from the clusters that ours begins with."""
    labels = nearest(values, cluster_centres(values, count, seed=seed, starts=1))
    parts = [values[labels == one] for one in range(count)]
    covariances = [np.cov(part.T, bias=True) + ridge * np.eye(part.shape[1]) for part in parts]
    return GaussianMixture(
        count,
        reg_covar=ridge,
        weights_init=[len(part) / len(values) for part in parts],
        means_init=[part.mean(axis=0) for part in parts],
        precisions_init=np.linalg.inv(covariances),
    )
