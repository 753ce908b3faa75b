"""Results of a model, put at the bars that they belong to."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.series.panel import Panel, blank

MISSING = -1
"""The label of a bar that has none, in numpy results; frames get their own missing value."""


def at_bars(panel: Panel, values: NDArray[Any], rows: int, *, earlier: int = 0) -> NDArray[Any]:
    """Put results of N windows at the bars that they describe.

    Parameters
    ----------
    panel : Panel
        What was labelled.
    values : ndarray, shape (N,) or (N, C)
    rows : int
        R, of a window.
    earlier : int
        Bars before the window's last one.

    Returns
    -------
    ndarray, shape (T,) or (T, C)
        Of the bars of the panel; those without a result are missing: -1 for integers, NaN for
        floats. Booleans become integers of 8 bits, which :meth:`Panel.give` gives as flags.
    """
    if values.dtype == np.bool_:
        values = values.astype(np.int8)
    result = blank(len(panel.values), values, MISSING)
    if len(panel.lengths) == 1:  # a slice: one series may be long
        first = rows - 1 - earlier
        result[first : first + len(values)] = values
    else:
        result[panel.ends(rows) - earlier] = values
    return result


def nearest_at_ends(panel: Panel, labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], float]:
    """Give the bars of a segment before its first label, and after its last, the nearest one.

    Parameters
    ----------
    panel : Panel
        What was labelled.
    labels : ndarray of int64, shape (T,)
        What :func:`at_bars` returns: within a segment, those that there are lie together.

    Returns
    -------
    labels : ndarray of int64, shape (T,)
        Missing only in segments without any.
    share : float
        Of the bars with a label, those that took it from another.
    """
    filled = labels.copy()
    for a, b in pairwise(panel.offsets.tolist()):
        known = np.flatnonzero(labels[a:b] != MISSING)
        if len(known):
            filled[a : a + known[0]] = labels[a + known[0]]
            filled[a + known[-1] + 1 : b] = labels[a + known[-1]]
    count = int((filled != MISSING).sum())
    return filled, float((filled != labels).sum()) / max(count, 1)
