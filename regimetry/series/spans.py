"""Spans of rows that lie one after the other, by their offsets."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def segment_offsets(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where segments of these lengths (S,) begin, and their sum: (S + 1,)."""
    return np.concatenate([[0], np.cumsum(lengths)])


def ranges(first: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return ``first[i], ..., first[i] + counts[i] - 1`` for every i, one after the other."""
    before = np.cumsum(counts) - counts
    return np.repeat(first - before, counts) + np.arange(int(counts.sum()))


def starts_of(offsets: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """Return the first row of every window of ``rows`` rows that lies in one segment.

    ``offsets`` (S + 1,) are where segments begin, and their end.
    """
    return ranges(offsets[:-1], np.maximum(np.diff(offsets) - rows + 1, 0))
