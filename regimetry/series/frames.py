"""Frames (pandas, polars) in and out, through narwhals, which is imported when a frame comes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError, InstallError
from regimetry.series.schema import Column, Schema

if TYPE_CHECKING:
    from types import ModuleType


def _narwhals() -> ModuleType:
    try:
        import narwhals
    except ImportError as error:
        raise InstallError(
            "A frame was given and narwhals, which reads it, is not installed. "
            "Run: pip install 'regimetry[frames]', or hand in a numpy array."
        ) from error
    return narwhals


def is_frame(data: object) -> bool:
    """Return whether ``data`` is a data frame, without importing any frame library."""
    return (
        not isinstance(data, np.ndarray)
        and hasattr(data, "columns")
        and hasattr(data, "__getitem__")
    )


@dataclass(frozen=True)
class Layout:
    """What a frame's columns are taken for.

    Attributes
    ----------
    schema : Schema
        Columns that a model can read.
    left_out : tuple of str
        Columns that are neither numbers nor declared categorical.
    """

    schema: Schema
    left_out: tuple[str, ...]


def time_of(frame: Any, time_column: str | None = None) -> tuple[str | None, NDArray[Any] | None]:
    """Find the timestamps of a frame.

    Parameters
    ----------
    frame : pandas or polars DataFrame
    time_column : str or None
        Column that holds them; ``None`` looks for a pandas ``DatetimeIndex``, then for the only
        column of a date or time type.

    Returns
    -------
    name : str or None
        The column they stand in, ``None`` for an index or if there are none.
    timestamps : ndarray of datetime64 or number, shape (T,), or None

    Raises
    ------
    DataError
        The named column is missing, or several columns could be the one.
    """
    native = _narwhals().from_native(frame, eager_only=True)
    if time_column is not None:
        if time_column not in native.columns:
            raise DataError(
                f"The time column {time_column!r} is missing; the columns are "
                f"{', '.join(map(str, native.columns))}."
            )
        return time_column, _without_zone(native[time_column].to_numpy())
    index = getattr(frame, "index", None)
    if index is not None and np.issubdtype(getattr(index, "dtype", np.dtype("O")), np.datetime64):
        return None, np.asarray(index)
    temporal = [name for name in native.columns if native[name].dtype.is_temporal()]
    if len(temporal) > 1:
        raise DataError(
            f"Columns {', '.join(temporal)} all hold times; name the one that orders the rows "
            "(time_column)."
        )
    return (
        (temporal[0], _without_zone(native[temporal[0]].to_numpy())) if temporal else (None, None)
    )


def _without_zone(times: NDArray[Any]) -> NDArray[Any]:
    return times.astype("datetime64[us]") if times.dtype == object else times


def layout_of(
    frame: Any,
    *,
    columns: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    exclude: Sequence[str | None] = (),
) -> Layout:
    """Decide which columns of a frame a model reads.

    Parameters
    ----------
    frame : pandas or polars DataFrame
    columns : sequence of str or None
        The columns to read, in this order; ``None`` takes all that are numbers or booleans.
    categorical : sequence of str
        Columns whose values are names; each value becomes a feature.
    exclude : sequence of str or None
        Columns that are not features, such as the time.

    Returns
    -------
    Layout

    Raises
    ------
    DataError
        A named column is missing, or no column is left.
    """
    nw = _narwhals()
    native = nw.from_native(frame, eager_only=True)
    _require_columns([*(columns or ()), *categorical], native.columns)
    wanted = [*columns] if columns is not None else list(native.columns)
    wanted += [name for name in categorical if name not in wanted]
    chosen: list[Column] = []
    left_out: list[str] = []
    for name in wanted:
        if name in exclude:
            continue
        series = native[name]
        if name in categorical:
            values = sorted({str(value) for value in series.drop_nulls().to_list()})
            chosen.append(Column(name, tuple(values)))
        elif series.dtype.is_numeric() or series.dtype == nw.Boolean:
            chosen.append(Column(str(name)))
        elif columns is not None or _is_mostly_numbers(series):
            _refuse_text(series, str(name))
        else:
            left_out.append(str(name))
    if not chosen:
        raise DataError(
            f"There is no numeric column among {', '.join(map(str, native.columns))}; one is "
            "needed."
        )
    return Layout(Schema(tuple(chosen)), tuple(left_out))


def _require_columns(names: Sequence[str], present: Sequence[str]) -> None:
    missing = [name for name in names if name not in present]
    if missing:
        noun, verb = ("Column", "is") if len(missing) == 1 else ("Columns", "are")
        raise DataError(
            f"{noun} {', '.join(map(repr, missing))} {verb} missing; the data have "
            f"{', '.join(map(str, present))}."
        )


def _reads_as_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


def _is_mostly_numbers(series: Any) -> bool:
    """Return whether a column of text looks like numbers with something among them."""
    values = series.drop_nulls().to_list()
    return sum(map(_reads_as_number, values)) > len(values) / 2


def _refuse_text(series: Any, name: str) -> None:
    for row, value in enumerate(series.to_list()):
        if not _reads_as_number(value):
            raise DataError(
                f"Row {row}, column {name!r} holds {value!r}, which is not a number. Mend it, "
                "declare the column categorical, or leave it out."
            )
    raise DataError(f"Column {name!r} holds values of type {series.dtype}; numbers are needed.")


def features_of(frame: Any, schema: Schema) -> NDArray[np.float64]:
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
    nw = _narwhals()
    native = nw.from_native(frame, eager_only=True)
    _require_columns(schema.names, native.columns)
    features: list[NDArray[np.float64]] = []
    for column in schema.columns:
        series = native[column.name]
        if column.categories is None:
            if not (series.dtype.is_numeric() or series.dtype == nw.Boolean):
                _refuse_text(series, column.name)
            features.append(series.to_numpy().astype(np.float64, copy=False))
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
    """Return a column of names as text, (T,).

    Raises
    ------
    DataError
        A name is missing.
    """
    values = _narwhals().from_native(frame, eager_only=True)[column]
    missing = values.is_null().to_numpy()
    if missing.any():
        raise DataError(
            f"Row {int(np.argmax(missing))}, column {column!r} is empty; every row needs the name "
            "of its instrument. Fill it or leave the row out."
        )
    return np.array([str(value) for value in values.to_list()], dtype=np.str_)


def rows_of(frame: Any, rows: NDArray[np.int64]) -> Any:
    """Return the rows of a frame at these places, with their index where it has one."""
    return _narwhals().from_native(frame, eager_only=True)[rows].to_native()


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
        Integer that stands for a missing value; NaN does for floats.
    """
    nw = _narwhals()
    native = nw.from_native(frame, eager_only=True)
    columns = [
        nw.new_series(name, column, backend=native.implementation)
        for name, column in zip(names, np.atleast_2d(values.T), strict=True)
    ]
    result = columns[0].to_frame().with_columns(*columns)
    if values.dtype.kind == "i":
        # pandas has no missing int64: select through a condition, then take its nullable type.
        present = [nw.when(nw.col(name) != missing).then(nw.col(name)) for name in names]
        result = nw.maybe_convert_dtypes(result.select(*present))
    mine = (result[names[0]] if values.ndim == 1 else result).to_native()
    if nw.dependencies.is_pandas_like_dataframe(frame):
        mine.index = frame.index[len(frame) - len(values) :]
    return mine
