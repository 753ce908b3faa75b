"""Frames of any kind as plain ones: in memory, each column with a name of its own, as text."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from regimetry.errors import DataError, InstallError

_USUAL = {
    "PeriodDtype": lambda series: series.dt.to_timestamp(),
    "SparseDtype": lambda series: series.sparse.to_dense(),
    "LongDoubleDType": lambda series: series.astype(np.float64),
}
"""What columns of pandas become that narwhals does not know, by the name of their type."""


def narwhals() -> ModuleType:
    """Return narwhals, which reads frames of every kind."""
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
    kind = type(data)  # a lazy frame would work out its columns if it were asked itself
    if isinstance(data, np.ndarray):
        return False
    if hasattr(kind, "columns"):
        return hasattr(kind, "__getitem__")
    return hasattr(kind, "__arrow_c_stream__") and not hasattr(kind, "__array__")


def plain(data: Any) -> Any:
    """Return data with every frame plain; arrays come back as they are.

    Parameters
    ----------
    data : array, frame or mapping
        A frame may be lazy (polars), or anything that narwhals or the Arrow PyCapsule interface
        reads; those become Arrow tables.

    Returns
    -------
    array, frame or mapping
        Frames are in memory. Names of columns are text; of a header of several levels, those in
        which all columns agree are left out.

    Raises
    ------
    DataError
        Two columns have one name, a header has several levels, or the frame cannot be read.
    """
    require_no_coordinates(data)
    if isinstance(data, Mapping):
        return {name: plain(one) for name, one in data.items()}
    if not is_frame(data):
        return data
    nw = narwhals()
    if nw.dependencies.is_pandas_like_dataframe(data):
        return _plain_pandas(data)
    try:
        return _collected(nw, data)
    except DataError:
        raise
    except Exception as error:  # whatever library the frame is of
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise DataError(
            f"The data are a {type(data).__name__}, which cannot be read as a frame ({reason}). "
            "Give a pandas or polars DataFrame, an Arrow table, or an array."
        ) from error


def _collected(nw: ModuleType, data: Any) -> Any:
    if not hasattr(data, "__narwhals_dataframe__"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = nw.from_native(data, pass_through=True)
        if read is data:
            read = nw.from_arrow(data, backend="pyarrow")
            if not len(read):
                raise DataError(
                    f"The {type(data).__name__} gives no rows; a reader gives them once. Read it "
                    "into a table first, such as by pyarrow.table(reader)."
                )
        data = read
    frame = data.collect() if isinstance(data, nw.LazyFrame) else data
    require_unique(frame.columns)
    wide = [name for name, kind in frame.schema.items() if kind in (nw.Int128, nw.UInt128)]
    return frame.with_columns(nw.col(name).cast(nw.Float64) for name in wide).to_native()


def _plain_pandas(frame: Any) -> Any:
    names = [_text(name) for name in _one_level(frame.columns)]
    require_unique(names)
    if names != list(frame.columns):
        frame = frame.set_axis(names, axis=1)
    kinds = {name: type(kind).__name__ for name, kind in zip(names, frame.dtypes, strict=True)}
    unusual = {name: _USUAL[kind](frame[name]) for name, kind in kinds.items() if kind in _USUAL}
    return frame.assign(**unusual) if unusual else frame


def _text(name: object) -> str:
    nothing = name is None or (isinstance(name, float) and np.isnan(name))
    return "" if nothing else str(name)


def _one_level(columns: Any) -> list[Any]:
    """Return the names of columns without the levels of a header in which all agree."""
    if columns.nlevels == 1:
        return list(columns)
    levels = [columns.get_level_values(i) for i in range(columns.nlevels)]
    telling = [level for level in levels if level.nunique(dropna=False) > 1] or levels[:1]
    if len(telling) > 1:
        raise DataError(
            f"The header of the frame has several levels, as in {columns[0]}. Give one instrument, "
            "or one row per time and instrument (frame.stack makes them) with by=."
        )
    return list(telling[0])


def require_no_coordinates(data: object) -> None:
    """Raise :class:`DataError` for an array of xarray, whose names an array would lose."""
    if hasattr(data, "dims") and hasattr(data, "coords"):
        raise DataError(
            f"The data are a {type(data).__name__} with coordinates, which an array would lose. "
            "Give a frame (data.to_pandas() or data.to_dataframe() makes one), or data.values if "
            "the order of rows and columns is the model's."
        )


def require_unique(names: Sequence[str]) -> None:
    """Raise :class:`DataError` naming the first column whose name another one has."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(
                f"Two columns are called {name!r}; each needs a name of its own. Rename one, or "
                "leave it out."
            )
        seen.add(name)
