"""Plain frames in and out, through narwhals, which is imported for the first frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.series.numbers import numbers_of_texts
from regimetry.series.plain_frames import narwhals, plain
from regimetry.series.schema import Column, Schema


def native_of(frame: Any) -> Any:
    """Return a frame in narwhals' terms."""
    return narwhals().from_native(frame, eager_only=True)


def holds_numbers(series: Any) -> bool:
    """Return whether a column is of numbers or booleans."""
    return bool(series.dtype.is_numeric() or series.dtype == narwhals().Boolean)


def is_text(series: Any) -> bool:
    """Return whether a column is of text, or of objects of any kind."""
    nw = narwhals()
    return bool(
        series.dtype in (nw.String, nw.Object, nw.Categorical) or isinstance(series.dtype, nw.Enum)
    )


def levels_of(frame: Any) -> dict[str, Any]:
    """Return the levels of a pandas index by name; none where it counts rows, or in other frames.

    A lone level without a name has the empty one.
    """
    nw = narwhals()
    if not nw.dependencies.is_pandas_like_dataframe(frame):
        return {}
    index = frame.index
    if index.nlevels == 1:
        if type(index).__name__ == "RangeIndex":
            return {}
        names = ["" if index.name is None else str(index.name)]
    else:
        given = [*index.names]
        names = [
            f"level_{i}" if name is None or name in given[:i] else str(name)
            for i, name in enumerate(given)
        ]
    levels = index.to_frame(index=False, name=names if len(names) > 1 else names[0])
    levels = nw.from_native(plain(levels))
    return {name: levels[name] for name in names}


def columns_of(frame: Any) -> dict[str, Any]:
    """Return the columns of a frame by name, after the levels of its index."""
    native = native_of(frame)
    return {**levels_of(frame), **{name: native[name] for name in native.columns}}


def require_columns(names: Sequence[str], present: Sequence[str]) -> None:
    """Raise :class:`DataError` naming the columns that are not present."""
    missing = [name for name in names if name not in present]
    if missing:
        noun, verb = ("Column", "is") if len(missing) == 1 else ("Columns", "are")
        raise DataError(
            f"{noun} {', '.join(map(repr, missing))} {verb} missing; the data have "
            f"{', '.join(map(str, present))}."
        )


def numbers_of(series: Any, name: str) -> NDArray[np.float64]:
    """Return a column of numbers, or of text that reads as numbers throughout, (T,).

    Raises
    ------
    DataError
        Names the first value that is none.
    """
    if holds_numbers(series):
        found = series.to_numpy()
        if found.dtype.kind not in "fiub":  # objects, where some are missing, and decimals
            found = series.cast(narwhals().Float64).to_numpy()
        return np.asarray(found, np.float64)
    if not is_text(series):
        raise DataError(f"Column {name!r} holds values of type {series.dtype}; numbers are needed.")
    texts = series.to_list()
    values, read = numbers_of_texts(texts)
    if not read.all():
        row = int(np.argmin(read))
        raise DataError(
            f"Row {row}, column {name!r} holds {texts[row]!r}, which is not a number. Mend it (for "
            "a file of decimal commas, say --decimal ,), declare the column categorical, or leave "
            "it out."
        )
    return values


def matrix_of(frame: Any, schema: Schema) -> NDArray[np.float64]:
    """Return the features of a frame in the schema's order; columns are found by name.

    Parameters
    ----------
    frame : pandas or polars DataFrame
        Further columns are ignored.
    schema : Schema

    Returns
    -------
    ndarray of float64, shape (T, F)

    Raises
    ------
    DataError
        A column is missing or holds text, or a value is of no category seen in training.
    """
    native = native_of(frame)
    require_columns(schema.names, native.columns)
    features: list[NDArray[np.float64]] = []
    for column in schema.columns:
        series = native[column.name]
        if column.categories is None:
            features.append(numbers_of(series, column.name))
        else:
            features.extend(_one_hot(series.to_list(), column))
    return np.stack(features, axis=1)


def _one_hot(values: list[Any], column: Column) -> list[NDArray[np.float64]]:
    assert column.categories is not None
    texts = np.array([str(value) for value in values])
    unknown = ~np.isin(texts, column.categories)
    if unknown.any():
        row = int(np.argmax(unknown))
        raise DataError(
            f"Row {row}, column {column.name!r} holds {str(texts[row])!r}; the categories are "
            f"{', '.join(column.categories)}."
        )
    return [(texts == category).astype(np.float64) for category in column.categories]


def names_of(frame: Any, column: str) -> NDArray[Any]:
    """Return a column, or a level of the index, of names as text, (T,).

    Raises
    ------
    DataError
        A name is missing.
    """
    values = columns_of(frame)[column]
    missing = values.is_null().to_numpy()
    if missing.any():
        raise DataError(
            f"Row {int(np.argmax(missing))}, column {column!r} is empty; every row needs the name "
            "of its instrument. Fill it or leave the row out."
        )
    return np.array([str(value) for value in values.to_list()], dtype=np.str_)


def like_frame(frame: Any, values: NDArray[Any], names: Sequence[str], *, missing: int) -> Any:
    """Give results in the caller's kind: a Series for (N,), a DataFrame for (N, len(names)).

    Parameters
    ----------
    frame : pandas or polars DataFrame, or Arrow table
        What the results belong to; the index of its last N rows is kept.
    values : ndarray, shape (N,) or (N, C)
    names : sequence of str
        Name of the Series, or of each column.
    missing : int
        Integer that stands for a missing value; NaN does for floats. Integers of 8 bits are flags.
    """
    nw, native = narwhals(), native_of(frame)
    columns = [
        nw.new_series(name, column, backend=native.implementation)
        for name, column in zip(names, np.atleast_2d(values.T), strict=True)
    ]
    result = columns[0].to_frame().with_columns(*columns)
    if values.dtype.kind == "i":
        # pandas has no missing int64: select through a condition, then take its nullable type.
        read = [nw.col(n) == 1 if values.dtype == np.int8 else nw.col(n) for n in names]
        present = [
            nw.when(nw.col(name) != missing).then(one)
            for name, one in zip(names, read, strict=True)
        ]
        result = nw.maybe_convert_dtypes(result.select(*present))
    mine = (result[names[0]] if values.ndim == 1 else result).to_native()
    if nw.dependencies.is_pandas_like_dataframe(frame):
        mine.index = frame.index[len(frame) - len(values) :]
    return mine
