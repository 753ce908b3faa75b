"""CSV and Parquet files in and out, by pandas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regimetry.errors import DataError, InstallError
from regimetry.files import replacing
from regimetry.series.series import require_rising

if TYPE_CHECKING:
    import pandas as pd

TIME_NAMES = ("date", "datetime", "time", "timestamp")
"""Names, in any case, by which a time column is found."""

_SUFFIXES = (".csv", ".parquet")


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise InstallError(
            "pandas, which reads and writes files, is not installed. "
            "Run: pip install 'regimetry[frames]'."
        ) from error
    return pandas


def require_table_suffix(path: Path) -> None:
    """Raise :class:`DataError` unless the name ends in .csv or .parquet."""
    if path.suffix.lower() not in _SUFFIXES:
        raise DataError(
            f"{path} ends in {path.suffix!r}; it must be one of {', '.join(_SUFFIXES)}."
        )


def read_table(
    path: str | Path, *, time_column: str | None = None, by: str | None = None
) -> pd.DataFrame:
    """Read a file, with its time column as the index.

    Parameters
    ----------
    path : str or Path
        .csv or .parquet.
    time_column : str or None
        ``None`` takes the first column named as in :data:`TIME_NAMES`, if any.
    by : str or None
        Column that names the instrument of each row; where there is one, times need not rise from
        row to row.

    Returns
    -------
    pandas.DataFrame
        Times with a zone are converted to UTC. Without a time column the index counts rows.

    Raises
    ------
    DataError
        The file is missing, empty, unreadable or of another kind, or its times cannot be read, or
        fall or repeat.
    """
    pd = _pandas()
    source = Path(path)
    require_table_suffix(source)
    if not source.is_file():
        raise DataError(f"There is no file {source}.")
    try:
        frame = pd.read_parquet(source) if source.suffix == ".parquet" else pd.read_csv(source)
    except pd.errors.EmptyDataError as error:
        raise DataError(f"{source} is empty.") from error
    except (OSError, ValueError) as error:  # pandas and pyarrow raise children of these
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{source} cannot be read as a table ({reason}).") from error
    if not len(frame):
        raise DataError(f"{source} has no rows.")
    try:
        return _index_by_time(frame, time_column, rising=by not in frame.columns)
    except DataError as error:
        if by is None or by in frame.columns:
            raise
        raise DataError(f"There is no column {by!r}, and of one series: {error}") from error


def _index_by_time(frame: Any, time_column: str | None, *, rising: bool) -> Any:
    pd = _pandas()
    if time_column is None:
        if isinstance(frame.index, pd.DatetimeIndex):
            return frame
        named = [name for name in frame.columns if str(name).lower() in TIME_NAMES]
        if not named:
            return frame
        time_column = named[0]
    if time_column not in frame.columns:
        raise DataError(
            f"The time column {time_column!r} is missing; the columns are "
            f"{', '.join(map(str, frame.columns))}."
        )
    column = frame[time_column]
    if not pd.api.types.is_numeric_dtype(column):
        column = _parse_times(column, time_column)
    if rising:
        require_rising(column.to_numpy())
    return frame.set_index(pd.Index(column, name=time_column)).drop(columns=time_column)


def _parse_times(column: Any, name: str) -> Any:
    pd = _pandas()
    times = pd.to_datetime(column, utc=True, errors="coerce")
    unread = times.isna().to_numpy()
    if unread.any():
        row = int(np.argmax(unread))
        raise DataError(
            f"Row {row}, column {name!r} holds {column.iloc[row]!r}, which is not a time. Mend it, "
            "or name another time column."
        )
    return times.dt.tz_localize(None)


def write_table(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a frame to .csv or .parquet: complete or not at all; a named index becomes a column.

    Raises
    ------
    DataError
        Another suffix, or a folder that does not exist or cannot be written to.
    """
    target = Path(path)
    require_table_suffix(target)
    keep_index = frame.index.name is not None
    with replacing(target) as temporary:
        if target.suffix.lower() == ".parquet":
            frame.to_parquet(temporary, index=keep_index)
        else:
            frame.to_csv(temporary, index=keep_index)
