"""Windows to try a graph on where no golden file lies beside it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import ModelContract


def probe_windows(contract: ModelContract, count: int, seed: int = 0) -> NDArray[np.float32]:
    """Draw windows whose features, once transformed, have the mean and deviation of training.

    Parameters
    ----------
    contract : ModelContract
    count : int
        N.
    seed : int

    Returns
    -------
    ndarray of float32, shape (N, R, F)
        Raw: differenced columns are summed up from 100, in logarithms where the graph takes them.
    """
    shape = (count, contract.window_rows, contract.n_features)
    noise = np.random.default_rng(seed).standard_normal(shape)
    features = np.array(contract.mean) + noise / np.array(contract.scale)
    for column, transform in enumerate(contract.transforms):
        if transform != "level":
            walk = np.cumsum(features[:, :, column], axis=1)
            logarithm = transform == "log_difference"
            features[:, :, column] = 100 * np.exp(walk) if logarithm else 100 + walk
    return features.astype(np.float32)
