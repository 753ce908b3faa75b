"""Hand features of long windows, for k-means: the floor that an encoder has to beat."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BINS = 8


def hand_features(windows: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return mean, deviation, mean absolute difference and 8 Fourier bins by channel, z-scored.

    Parameters
    ----------
    windows : ndarray of float, shape (N, W, F)

    Returns
    -------
    ndarray of float64, shape (N, 11 F)
        A Fourier bin is the amplitude of one of the 8 lowest frequencies, 0 included.
    """
    wide = np.asarray(windows, dtype=np.float64)
    amplitude = np.abs(np.fft.rfft(wide, axis=1)[:, :BINS]).reshape(len(wide), -1)
    features = np.concatenate(
        [
            wide.mean(axis=1),
            wide.std(axis=1),
            np.abs(np.diff(wide, axis=1)).mean(axis=1),
            amplitude,
        ],
        axis=1,
    )
    return (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-12)
