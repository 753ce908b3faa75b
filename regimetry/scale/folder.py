"""A folder of Parquet files: what is in it, before any row is labelled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from regimetry.errors import DataError, InstallError
from regimetry.scale.columns import Columns, choose_columns, require_alike
from regimetry.series.schema import Schema
from regimetry.series.time_options import FOUND, TimeOptions

_HEAD_ROWS = 1000  # that the search for the time looks at


@dataclass(frozen=True)
class TableFile:
    """One Parquet file.

    Attributes
    ----------
    path : Path
        Absolute: workers have a current directory of their own.
    relative : str
        From the folder, with "/".
    rows : int
    instruments : tuple of str
        Those that it has rows of.
    """

    path: Path
    relative: str
    rows: int
    instruments: tuple[str, ...]


@dataclass(frozen=True)
class Folder:
    """What was found.

    Attributes
    ----------
    columns : Columns
    files : tuple of TableFile
        In the order of their paths.
    skipped : dict of str to str
        Files that were left out, and why.
    """

    columns: Columns
    files: tuple[TableFile, ...]
    skipped: dict[str, str]

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files)


def scan(
    source: Path,
    schema: Schema | None,
    *,
    by: str | None = None,
    fitted_by: str | None = None,
    time: TimeOptions = FOUND,
    keep_going: bool = False,
) -> Folder:
    """Look at every file: its columns, its rows and its instruments.

    Parameters
    ----------
    source : Path
        A file or a folder. Names that begin with "." or "_" are left out.
    schema : Schema or None
        What the model reads; ``None`` takes every column of numbers but the time and the
        instrument.
    by : str or None
        The instrument column, or the key of ``key=value`` folders. ``None`` looks for it; without
        any, each file is an instrument of its own.
    fitted_by : str or None
        The instrument column of the fit, taken where it is there and ``by`` is ``None``.
    time : TimeOptions
        What it leaves open is found by :func:`~regimetry.series.time_column.likely_time`.
    keep_going : bool
        Leave out files that are damaged or lack what is needed.

    Returns
    -------
    Folder

    Raises
    ------
    DataError
        Nothing there, or a file that cannot be used.
    InstallError
        pyarrow is not installed.
    """
    columns: Columns | None = None
    files: list[TableFile] = []
    skipped: dict[str, str] = {}
    for path in _parquet_files(source):
        relative = path.name if path == source else path.relative_to(source).as_posix()
        keys = _keys(relative)
        try:
            with opened(path, relative) as parquet:
                arrow, rows = parquet.schema_arrow, parquet.metadata.num_rows
                if columns is None:
                    columns = choose_columns(
                        _head(parquet),
                        keys,
                        schema,
                        by=by,
                        fitted_by=fitted_by,
                        time=time,
                        relative=relative,
                    )
                else:
                    require_alike(arrow, keys, columns, relative)
            names = _instruments(path, relative, keys, columns)
            files.append(TableFile(path.absolute(), relative, rows, names))
        except DataError as error:
            if not keep_going:
                raise
            skipped[relative] = str(error)
    if columns is None:
        raise DataError(
            f"No file of {source} can be used. The first: {next(iter(skipped.values()))}"
        )
    return Folder(columns, tuple(files), skipped)


def import_pyarrow() -> Any:
    """Return pyarrow, with its Parquet part loaded."""
    try:
        import pyarrow as pa
        import pyarrow.parquet
    except ImportError as error:
        raise InstallError(
            "pyarrow, which reads and writes Parquet, is not installed. "
            "Run: pip install 'regimetry[frames]'."
        ) from error
    return pa


class DamagedFileError(DataError):
    """A file that cannot be read as Parquet; ``relative`` names it."""

    def __init__(self, relative: str, reason: Exception) -> None:
        line = next(iter(str(reason).splitlines()), type(reason).__name__).rstrip(".")
        super().__init__(
            f"{relative} cannot be read as Parquet ({line}). Mend or remove it, or go on without "
            "it: keep_going, --keep-going."
        )
        self.relative = relative


@contextmanager
def opened(path: Path, relative: str, dictionary: Sequence[str] = ()) -> Iterator[Any]:
    """Open a Parquet file so that pages are read as they are needed, not a row group at once.

    Raises
    ------
    DamagedFileError
        The file cannot be opened, or in the block something of it not decoded.
    """
    pa = import_pyarrow()
    try:
        with pa.parquet.ParquetFile(
            path, read_dictionary=list(dictionary), pre_buffer=False, buffer_size=1 << 20
        ) as parquet:
            yield parquet
    except DataError:
        raise
    # What pandas wrote beside the columns may be damaged too.
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedFileError(relative, error) from error


def batches_of(
    path: Path, relative: str, columns: Sequence[str], size: int, dictionary: Sequence[str] = ()
) -> Iterator[Any]:
    """Yield record batches of at most ``size`` rows; errors are those of :func:`opened`."""
    with opened(path, relative, dictionary) as parquet:
        yield from parquet.iter_batches(size, columns=list(columns), use_threads=False)


def _head(parquet: Any) -> Any:
    """Return the first rows of an open file as a table."""
    pa = import_pyarrow()
    batches = parquet.iter_batches(_HEAD_ROWS, use_threads=False)
    return pa.Table.from_batches([*islice(batches, 1)], parquet.schema_arrow)


def _parquet_files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    if not source.is_dir():
        raise DataError(f"There is no file or folder {source}.")
    found = [
        path
        for path in source.rglob("*.parquet")
        if path.is_file()
        and not any(part.startswith((".", "_")) for part in path.relative_to(source).parts)
    ]
    if not found:
        raise DataError(f"The folder {source} holds no .parquet file.")
    return sorted(found, key=lambda path: path.relative_to(source).parts)


def _keys(relative: str) -> dict[str, str]:
    """Return the ``key=value`` parts of a path."""
    parts = [part.partition("=") for part in relative.split("/")[:-1]]
    return {key: unquote(value) for key, sign, value in parts if sign}


def _instruments(
    path: Path, relative: str, keys: dict[str, str], columns: Columns
) -> tuple[str, ...]:
    """Return whom a file has rows of, in the order in which they appear."""
    if columns.instrument is None:
        return (relative,)
    if not columns.instrument_in_file:
        return (keys[columns.instrument],)
    found: dict[Any, None] = {}
    named = [columns.instrument]
    for batch in batches_of(path, relative, named, 1 << 20, named):
        found.update(dict.fromkeys(batch.column(0).unique().to_pylist()))
    if None in found:
        raise DataError(
            f"A row of {relative} has no {columns.instrument!r}; every row needs an instrument. "
            "Fill it or leave the row out."
        )
    return tuple(map(str, found))
