"""CSV and Parquet files in and out, by pandas."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from regimetry.errors import DataError, DataWarning, InstallError
from regimetry.files import replacing
from regimetry.series.frames import native_of
from regimetry.series.layout import is_mostly_numbers, is_unnamed
from regimetry.series.numbers import looks_like_number, numbers_of_texts
from regimetry.series.time_column import FoundTime, find_time
from regimetry.series.times import FOUND, TimeOptions, readings_of_texts

if TYPE_CHECKING:
    import pandas as pd

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


@dataclass(frozen=True)
class Table:
    """What a file holds, in rising time.

    Attributes
    ----------
    frame : pandas.DataFrame
        T rows, with their times (UTC) as the index; without times it counts rows.
    came : pandas.Series or None
        The times as the file writes them, in the order of ``frame``.
    newest_first : bool
        Whether the file holds the rows the other way round.
    """

    frame: pd.DataFrame
    came: pd.Series | None = None
    newest_first: bool = False

    def written(self, result: pd.DataFrame, rows: Any = slice(None)) -> pd.DataFrame:
        """Return results of ``rows`` under their times as the file writes them, in its order."""
        pd = _pandas()
        if self.came is not None:
            result = result.set_axis(pd.Index(self.came.iloc[rows], name=self.came.name))
        return result.iloc[::-1] if self.newest_first else result


def read_table(path: str | Path, time: TimeOptions = FOUND, *, by: str | None = None) -> Table:
    """Read a file, and find its times.

    Parameters
    ----------
    path : str or Path
        .csv or .parquet.
    time : TimeOptions
        As for :func:`~regimetry.series.time_column.find_time`.
    by : str or None
        Column that names the instrument of each row; times rise within each.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        The file is missing, empty, unreadable or of another kind, or its times cannot be read, or
        are out of order.

    Warns
    -----
    DataWarning
        There are no times, or their order was decided by all rows.
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
    if source.suffix == ".csv":
        _require_names(frame, source)
    if not len(frame):
        raise DataError(f"{source} has no rows.")
    if frame.index.nlevels > 1:
        frame = frame.reset_index()
    try:
        found = find_time(frame, by=by, options=time)
    except DataError as error:
        if by is None or by in frame.columns:
            raise
        raise DataError(f"There is no column {by!r}, and of one series: {error}") from error
    found.warn()
    table = _in_rising_time(frame, found)
    return replace(table, frame=_with_numbers(table.frame, by))


def _in_rising_time(frame: Any, found: FoundTime) -> Table:
    pd = _pandas()
    if found.name is None:
        warnings.warn(
            "No column reads as a time: the rows are taken in the order in which they stand. If "
            f"one holds times, name it (--time-column); the columns are "
            f"{', '.join(map(str, frame.columns))}.",
            DataWarning,
            stacklevel=3,
        )
        return Table(frame)
    came = frame[found.name] if found.name in frame.columns else frame.index.to_series()
    came = came.rename(_name_of_time(found.name))
    frame = frame.drop(columns=[n for n in (found.name, *found.others) if n in frame.columns])
    frame = frame.set_axis(pd.Index(found.times, name=came.name))
    turned = slice(None, None, -1 if found.newest_first else 1)
    return Table(frame.iloc[turned], came.iloc[turned], found.newest_first)


def _require_names(frame: Any, source: Path) -> None:
    """Raise :class:`DataError` where the first line of a CSV file holds values.

    Names may be numbers that count the columns.
    """
    names = [re.sub(r"(?<=\d)\.\d+$", "", name) if name.count(".") > 1 else name
             for name in map(str, frame.columns) if not is_unnamed(name)]  # fmt: skip
    if names in ([str(i + first) for i in range(len(names))] for first in (0, 1)):
        return
    dates = [not np.isnat(one[0]) for name in names for one in readings_of_texts([name])]
    values = sum(map(looks_like_number, names)) + sum(dates)
    if 2 * values > len(names):
        raise DataError(
            f"{source} begins with {', '.join(names[:3])}: values, where the names of the columns "
            "belong. Write a line of names above them, such as time,open,high,low,close."
        )


def _with_numbers(frame: Any, by: str | None) -> Any:
    """Return the frame with columns of text that read as numbers throughout as numbers."""
    native = native_of(frame)
    texts = [name for name in native.columns if name != by and is_mostly_numbers(native[name])]
    found = {name: numbers_of_texts(frame[name].tolist()) for name in texts}
    whole = {name: values for name, (values, read) in found.items() if read.all()}
    if not whole:
        return frame
    shown = ", ".join(f"{name} ({frame[name].iloc[0]!r})" for name in whole)
    warnings.warn(f"read as numbers, though they are text: {shown}", DataWarning, stacklevel=3)
    return frame.assign(**whole)


def _name_of_time(name: str) -> str:
    return "time" if is_unnamed(name) else name


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
