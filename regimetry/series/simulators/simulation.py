"""The result of a simulator."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
States = NDArray[np.int64]


@dataclass(frozen=True)
class Simulation:
    """A simulated series.

    Attributes
    ----------
    values : ndarray of float64, shape (T, F)
    states : ndarray of int64, shape (T,)
        The state that made each bar, 0 to K - 1.
    names : tuple of str
        Column names, length F.
    """

    values: Values
    states: States
    names: tuple[str, ...]
