"""Which stretches of which instruments a fit looks at, where it can't look at all bars at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regimetry.windows import balanced_counts

STRETCH = 1024
"""Windows of a stretch: long enough to hold whole spells of a regime."""


def stretches(
    lengths: Sequence[int] | NDArray[np.int64], rows: int, most: int
) -> list[list[tuple[int, int]]]:
    """Choose stretches of rows that hold at most ``most`` windows, all instruments alike.

    Parameters
    ----------
    lengths : sequence of int, shape (I,)
        Rows of each instrument.
    rows : int
        R, of a window.
    most : int
        Windows in all; each instrument gives as many as another, or all it has.

    Returns
    -------
    list of list of tuple of int
        For each instrument, first row and end of its stretches, evenly spread over its time; the
        whole instrument where it is given all its windows, none where it has no window.
    """
    counts = np.maximum(np.asarray(lengths, dtype=np.int64) - rows + 1, 0)
    chosen = []
    for have, take in zip(counts.tolist(), balanced_counts(counts, most).tolist(), strict=True):
        parts = max(1, round(take / STRETCH)) if take < have else 1
        starts = np.linspace(0, have - take // parts, parts).astype(np.int64).tolist()
        size = take // parts
        chosen.append([(a, a + size + rows - 1) for a in starts] if size else [])
    return chosen
