"""Embeds windows with the Keras encoder."""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

_BATCH_BARS = 2560  # in larger batches the tensors no longer fit the processor's cache


def embed_windows(encoder: keras.Model, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Embed windows in batches, dropout off.

    Parameters
    ----------
    encoder : keras.Model
    windows : ndarray of float32, shape (N, W, F)
        Preprocessed; a view will do.

    Returns
    -------
    ndarray of float32, shape (N, D)
    """
    result = np.empty((len(windows), encoder.output_shape[-1]), np.float32)
    size = max(1, _BATCH_BARS // windows.shape[1])
    for start in range(0, len(windows), size):
        batch = np.ascontiguousarray(windows[start : start + size])
        result[start : start + size] = keras.ops.convert_to_numpy(encoder(batch, training=False))
    return result
