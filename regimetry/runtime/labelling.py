"""Results of a model, put at the bars that they belong to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.series.panel import Panel

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
        floats. Of booleans they are False.
    """
    missing = {"i": MISSING, "b": False}.get(values.dtype.kind, np.nan)
    result = np.full((len(panel.values), *values.shape[1:]), missing, values.dtype)
    if panel.instruments is None:  # a slice: one series may be long
        first = rows - 1 - earlier
        result[first : first + len(values)] = values
    else:
        result[panel.ends(rows) - earlier] = values
    return result
