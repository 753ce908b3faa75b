"""What is drawn: a series and its states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
States = NDArray[np.int64]


@dataclass(frozen=True)
class Drawn:
    """A series of the prior.

    Attributes
    ----------
    rows : ndarray of float32, shape (T, F)
        Each channel is centred, divided by its standard deviation, then clipped to [-6, 6].
    states : ndarray of int64, shape (T,)
        The state that made each row, 0 to K - 1.
    n_states : int
        K; 1 for a series of one regime.
    aspects : tuple of str
        By which of :data:`ASPECTS` the regimes of this series differ; empty if K is 1.
    """

    rows: NDArray[np.float32]
    states: States
    n_states: int
    aspects: tuple[str, ...]
