"""The running mean of novelty, which tells a novel state from an odd bar."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

NONE_YET = math.nan
"""The running mean before the first bar."""


def step(mean: float, novelty: float, memory: float) -> float:
    """Return the running mean after one more bar; the first bar is its beginning."""
    return novelty if math.isnan(mean) else mean + memory * (novelty - mean)


def running_mean(
    novelty: NDArray[np.floating], memory: float, start: float = NONE_YET
) -> NDArray[np.float64]:
    """Return :func:`step` after each of the bars (N,), on from ``start``; t uses bars up to t."""
    mean, result = start, []
    for value in novelty.tolist():
        mean = step(mean, value, memory)
        result.append(mean)
    return np.array(result, dtype=np.float64)


def exceeds(mean: NDArray[np.float64], threshold: float | None) -> NDArray[np.bool_]:
    """Return where the running mean lies above the threshold: nowhere if there is none."""
    return mean > (math.inf if threshold is None else threshold)
