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
    novelty: NDArray[np.floating],
    memory: float,
    offsets: NDArray[np.int64] | None = None,
    state: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Return :func:`step` after each of the bars (N,); entry t uses bars up to t.

    ``offsets`` (M + 1,) are boundaries of series that lie one after the other, from 0 to N: each
    goes on from its ``state`` (M,), or begins afresh.
    """
    bounds = np.array([0, len(novelty)]) if offsets is None else offsets
    begins = np.full(len(bounds) - 1, NONE_YET) if state is None else state
    first = dict(zip(bounds[:-1].tolist(), begins.tolist(), strict=True))
    mean, result = NONE_YET, []
    for place, value in enumerate(novelty.tolist()):
        mean = step(first.get(place, mean), value, memory)
        result.append(mean)
    return np.array(result, dtype=np.float64)


def exceeds(mean: NDArray[np.float64], threshold: float | None) -> NDArray[np.bool_]:
    """Return where the running mean lies above the threshold: nowhere if there is none."""
    return mean > (math.inf if threshold is None else threshold)
