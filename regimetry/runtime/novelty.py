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
    novelty: NDArray[np.floating], memory: float, offsets: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return :func:`step` after each of the bars (N,); entry t uses bars up to t.

    ``offsets`` are boundaries of series that lie one after the other, from 0 to N: each begins
    afresh.
    """
    mean, result = NONE_YET, []
    first = set() if offsets is None else set(offsets.tolist())
    for place, value in enumerate(novelty.tolist()):
        mean = step(NONE_YET if place in first else mean, value, memory)
        result.append(mean)
    return np.array(result, dtype=np.float64)


def exceeds(mean: NDArray[np.float64], threshold: float | None) -> NDArray[np.bool_]:
    """Return where the running mean lies above the threshold: nowhere if there is none."""
    return mean > (math.inf if threshold is None else threshold)
