"""Tables in and out: text such as CSV, and Parquet, by pandas."""

from __future__ import annotations

import gzip
import io
import sys
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from regimetry.errors import DataError, DataWarning, InstallError
from regimetry.files import replacing
from regimetry.series.file_options import PLAIN, STANDARD, FileOptions
from regimetry.series.frames import native_of
from regimetry.series.layout import is_mostly_numbers, is_unnamed
from regimetry.series.numbers import numbers_of_texts
from regimetry.series.plain_frames import plain
from regimetry.series.text_tables import read_text
from regimetry.series.time_column import FoundTime, find_time

if TYPE_CHECKING:
    import pandas as pd

_TEXT = (".csv", ".tsv", ".txt")
_WRITTEN = (".csv", ".parquet")
_EXCEL = (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods")


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
    """Raise :class:`DataError` unless the name of a table to write ends in .csv or .parquet."""
    if path.suffix.lower() not in _WRITTEN:
        raise DataError(f"{path} ends in {path.suffix!r}; it must be one of {', '.join(_WRITTEN)}.")


@dataclass(frozen=True)
class Table:
    """What a file holds, in rising time.

    Attributes
    ----------
    frame : pandas.DataFrame
        T rows, with their times (UTC) as the index; without times it counts rows.
    came : pandas.DataFrame or None
        The times as the file writes them, in the order of ``frame``: a column, or one of days and
        one of times of day.
    newest_first : bool
        Whether the file holds the rows the other way round.
    """

    frame: pd.DataFrame
    came: pd.DataFrame | None = None
    newest_first: bool = False

    def written(self, result: pd.DataFrame, rows: Any = slice(None)) -> pd.DataFrame:
        """Return results of ``rows`` under their times as the file writes them, in its order."""
        pd = _pandas()
        if self.came is not None:
            came = self.came.iloc[rows]
            one = len(came.columns) == 1
            index = pd.Index(came.iloc[:, 0]) if one else pd.MultiIndex.from_frame(came)
            result = result.set_axis(index)
        return result.iloc[::-1] if self.newest_first else result


def read_table(path: str | Path, options: FileOptions = PLAIN, *, by: str | None = None) -> Table:
    """Read a file, and find its times.

    Parameters
    ----------
    path : str or Path
        Text (.csv, .tsv or .txt, perhaps followed by .gz), or .parquet; "-" is text on standard
        input.
    options : FileOptions
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
        There are no times, or something was decided by all rows.
    """
    pd, source = _pandas(), Path(path)
    name = "Standard input" if source == STANDARD else str(source)
    with _opened(source) as file:
        if source.suffix.lower() == ".parquet":
            frame = _read_parquet(pd, file, name, options)
        else:
            formed = options.time.time_column if options.time.time_format else None
            as_text = {column for column in (by, formed) if column is not None}
            frame = read_text(file, name, options, as_text)
    if not len(frame):
        raise DataError(f"{name} has no rows.")
    if frame.index.nlevels > 1:
        frame = frame.reset_index()
    try:
        found = find_time(frame, by=by, options=options.time)
    except DataError as error:
        if by is None or by in frame.columns:
            raise
        raise DataError(f"There is no column {by!r}, and of one series: {error}") from error
    found.warn()
    table = _in_rising_time(frame, found)
    return replace(table, frame=_with_numbers(table.frame, by))


@contextmanager
def _opened(source: Path) -> Iterator[BinaryIO]:
    """Open a file, or standard input, that can seek; what gzip has packed is unpacked."""
    name = source.name.lower().removesuffix(".gz")
    if source != STANDARD:
        if name.endswith(_EXCEL):
            raise DataError(
                f"{source} is an Excel workbook. Save the sheet as CSV; in Python, "
                "pandas.read_excel makes a frame of it."
            )
        if not name.endswith((*_TEXT, ".parquet")):
            kinds = ", ".join((*_TEXT, *(f"{suffix}.gz" for suffix in _TEXT), ".parquet"))
            raise DataError(f"{source} ends in {source.suffix!r}; it must be one of {kinds}.")
        if not source.is_file():
            raise DataError(f"There is no file {source}.")
    try:
        with _standard_input() if source == STANDARD else source.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            if not packed:
                yield file
                return
            with gzip.open(file) as unpacked:
                yield unpacked  # type: ignore[misc]  # reads as a binary file does
    except (EOFError, zlib.error, OSError) as error:
        raise DataError(f"{source} cannot be read ({error}).") from error


def _standard_input() -> BinaryIO:
    if sys.stdin is None:
        raise DataError("Standard input is closed; give it the table.")
    return io.BytesIO(sys.stdin.buffer.read())


def _read_parquet(pd: Any, file: BinaryIO, name: str, options: FileOptions) -> Any:
    try:
        frame = plain(pd.read_parquet(file))
    except DataError:
        raise
    except Exception as error:  # pandas and pyarrow have many
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"{name} cannot be read as a table ({reason}).") from error
    return plain(frame.set_axis(options.renamed(list(frame.columns)), axis=1))


def _in_rising_time(frame: Any, found: FoundTime) -> Table:
    pd = _pandas()
    if found.name is None:
        return Table(frame)
    named = [name for name in (found.name, found.clock) if name is not None]
    there = [name for name in named if name in frame.columns]
    came = frame[there] if there else frame.index.to_frame(index=False)
    came = came.set_axis([_name_of_time(name) for name in there or named], axis=1)
    frame = frame.drop(columns=[n for n in (found.name, *found.others) if n in frame.columns])
    frame = frame.set_axis(pd.Index(found.times, name=came.columns[0]))
    turned = slice(None, None, -1 if found.newest_first else 1)
    return Table(frame.iloc[turned], came.iloc[turned], found.newest_first)


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


def is_named(index: Any) -> bool:
    """Return whether an index becomes columns where it is written; a count of rows does not."""
    return any(name is not None for name in index.names)


def print_table(frame: pd.DataFrame) -> None:
    """Write a frame as CSV to standard output."""
    frame.to_csv(sys.stdout, index=is_named(frame.index))


def write_table(frame: pd.DataFrame, path: str | Path) -> None:
    """Write a frame to .csv or .parquet: complete or not at all; a named index becomes a column.

    Raises
    ------
    DataError
        Another suffix, or a folder that does not exist or cannot be written to.
    """
    target = Path(path)
    require_table_suffix(target)
    keep_index = is_named(frame.index)
    with replacing(target) as temporary:
        if target.suffix.lower() == ".parquet":
            frame.to_parquet(temporary, index=keep_index)
        else:
            frame.to_csv(temporary, index=keep_index)
