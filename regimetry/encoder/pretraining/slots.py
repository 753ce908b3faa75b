"""Which channels each kernel reads: drawn anew for every series, so that any number will do."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.pretraining.architecture import GROUPS, SLOTS, kernels_of


def draw_slots(n_features: int, generator: np.random.Generator) -> list[NDArray[np.float32]]:
    """Draw the channels that the slots of each kernel read, each with a sign.

    Kernel c has 1 + c mod 4 slots. Where there are fewer channels, the last slots stay empty.

    Parameters
    ----------
    n_features : int
        F.
    generator : numpy.random.Generator

    Returns
    -------
    list of ndarray of float32, shape (C, 4, F)
        Of each group: 1 or -1 where a slot reads a channel, else 0.
    """
    found = []
    for group in range(len(GROUPS)):
        count = kernels_of(group)
        channels = generator.random((count, n_features)).argsort(axis=1)[:, :SLOTS]
        signs = generator.choice(np.array([-1.0, 1.0], np.float32), channels.shape)
        signs[np.arange(channels.shape[1]) > np.arange(count)[:, None] % SLOTS] = 0.0
        slots = np.zeros((count, SLOTS, n_features), np.float32)
        np.put_along_axis(slots[:, : channels.shape[1]], channels[:, :, None], signs[:, :, None], 2)
        found.append(slots)
    return found
