"""The table of sinusoidal positions."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.config import EncodingStyle


def sinusoidal_table(window_size: int, size: int, style: EncodingStyle) -> NDArray[np.float32]:
    """Sinusoidal positions of Vaswani et al. 2017, section 3.5.

    The angle of position t and pair p is ``t / 10000 ** (2 p / D)``. ``interleaved`` puts the sine
    of pair p at column 2 p and its cosine at 2 p + 1; ``stacked`` puts all sines before all
    cosines, where an odd D is raised by one for the table and its last column removed.

    Parameters
    ----------
    window_size : int
        W.
    size : int
        D.
    style : {"interleaved", "stacked"}
        Column layout.

    Returns
    -------
    ndarray of float32, shape (W, D)
    """
    width = size + size % 2 if style == "stacked" else size
    pairs = np.arange((width + 1) // 2)
    angles = np.arange(window_size)[:, None] / 10000.0 ** (2.0 * pairs / width)
    if style == "stacked":
        table = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    else:
        table = np.stack([np.sin(angles), np.cos(angles)], axis=2).reshape(window_size, -1)
    return table[:, :size].astype(np.float32)
