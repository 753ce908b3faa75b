"""Which column is the price."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.series.column_statistics import ar1_coefficient
from regimetry.series.units import UNIT_ROOT_COEFFICIENT

PRICE_NAMES = ("close", "adj close", "adj_close", "adjusted_close", "price")
"""Names, in any case, by which a price column is found."""


def price_candidates(columns: Mapping[str, NDArray[Any]]) -> list[str]:
    """Return the columns that could be a price: positive throughout and near a unit root."""
    return [name for name, values in columns.items() if _could_be_price(values)]


def _could_be_price(values: NDArray[Any]) -> bool:
    if values.dtype.kind not in "fiu" or not len(values) or not (values > 0).all():
        return False
    column = values.astype(np.float64)[:, None]
    return bool(np.isfinite(column).all() and ar1_coefficient(column)[0] > UNIT_ROOT_COEFFICIENT)


def find_price(columns: Mapping[str, NDArray[Any]], asked: str | None = None) -> str:
    """Return the name of the price column.

    Parameters
    ----------
    columns : mapping of str to ndarray
    asked : str or None
        What the user named; ``None`` takes the first column named as in :data:`PRICE_NAMES`.

    Raises
    ------
    DataError
        There is none; the message names the columns that could be it.
    """
    if asked is None:
        named = {str(name).lower(): name for name in reversed(list(columns))}
        for known in PRICE_NAMES:
            if known in named:
                return named[known]
    elif asked in columns and columns[asked].dtype.kind in "fiu":
        return asked
    what = (
        "No column is called close or price"
        if asked is None
        else f"There is no column of numbers {asked!r}"
    )
    could = price_candidates(columns)
    remedy = (
        f"these could be the price: {', '.join(map(str, could))}; name one with --price"
        if could
        else "none of the columns is positive and moves as a price does; add one"
    )
    raise DataError(f"{what}; {remedy}.")
