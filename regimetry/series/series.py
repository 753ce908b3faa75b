"""A checked series: finite numbers in the model's column order, in rising time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.series.frames import matrix_of
from regimetry.series.matrix import as_matrix, require_finite
from regimetry.series.plain_frames import is_frame
from regimetry.series.schema import Schema
from regimetry.series.time_column import FoundTime, find_time
from regimetry.series.time_options import FOUND, TimeOptions


@dataclass(frozen=True)
class Series:
    """T rows of F features.

    Attributes
    ----------
    values : ndarray of float32 or float64, shape (T, F)
        Finite, but for missing values where they are taken; a view of the caller's data where
        their type allows it.
    timestamps : ndarray, shape (T,), or None
        Rising.
    newest_first : bool
        Whether the rows came in falling time, and are turned.
    """

    values: NDArray[np.floating]
    timestamps: NDArray[Any] | None = None
    newest_first: bool = False


def as_series(
    data: Any, schema: Schema, time: TimeOptions = FOUND, *, with_missing: bool = False
) -> Series:
    """Check data against a schema.

    Parameters
    ----------
    data : array-like of shape (T, F), or pandas or polars DataFrame
        A frame's columns are found by name, an array's by position.
    schema : Schema
    time : TimeOptions
        Of a frame.
    with_missing : bool
        Take missing values, as NaN.

    Returns
    -------
    Series

    Raises
    ------
    DataError
        Columns missing or of the wrong number or kind, a value that is not finite (row and column
        named), or timestamps that fall or repeat.
    """
    found = FoundTime()
    if is_frame(data):
        found = find_time(data, options=time, besides=schema.names)
        values: NDArray[np.floating] = matrix_of(data, schema)
    else:
        if replace(time, repeated=False) != FOUND:
            raise DataError(
                "The times are described, and the data are an array, which has none. Give a frame."
            )
        if any(column.categories is not None for column in schema.columns):
            raise DataError(
                "The model reads categorical columns, which an array cannot hold; give a frame "
                f"with the columns {', '.join(schema.names)}."
            )
        values = as_matrix(data)
        if values.shape[1] != len(schema.columns):
            raise DataError(
                f"The data have {values.shape[1]} columns; the model reads "
                f"{len(schema.columns)}: {', '.join(schema.names)}."
            )
    require_finite(values, schema.feature_names, found.times, with_missing=with_missing)
    found.warn()
    if found.times is None or not found.newest_first:
        return Series(values, found.times)
    return Series(values[::-1], found.times[::-1], newest_first=True)
