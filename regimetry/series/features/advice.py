"""Columns whose level leaves the range on which a model was fitted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regimetry.series.column_statistics import ar1_coefficient
from regimetry.series.units import UNIT_ROOT_COEFFICIENT

_PRICES = (
    "open", "high", "low", "close", "adjclose", "adjustedclose",
    "price", "last", "bid", "ask", "mid", "vwap", "settle",
)  # fmt: skip


def drifting_columns(
    values: NDArray[np.floating], names: Sequence[str], transforms: Sequence[str]
) -> dict[str, str]:
    """Return the columns that a model reads as levels and that should be differenced.

    Parameters
    ----------
    values : ndarray of float, shape (T, F)
        All rows of the fit.
    names : sequence of str
    transforms : sequence of {"level", "difference", "log_difference"}
        What becomes of each column; those that are differenced are fine.

    Returns
    -------
    dict of str to str
        For each such column why: it is positive and named like a price, or its AR(1) coefficient
        exceeds :data:`regimetry.series.preprocessing.UNIT_ROOT_COEFFICIENT`.
    """
    coefficients = ar1_coefficient(np.asarray(values, dtype=np.float64))
    positive = np.all(np.asarray(values) > 0, axis=0)
    reasons: dict[str, str] = {}
    for column, (name, transform) in enumerate(zip(names, transforms, strict=True)):
        if transform != "level":
            continue
        if coefficients[column] > UNIT_ROOT_COEFFICIENT:
            reasons[name] = (
                f"is near a unit root (its AR(1) coefficient is {coefficients[column]:.3f})"
            )
        elif positive[column] and "".join(filter(str.isalpha, name.lower())) in _PRICES:
            reasons[name] = "is a price level"
    return reasons
