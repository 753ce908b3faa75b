"""Results of a model, put at the bars that they belong to."""

from __future__ import annotations

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
