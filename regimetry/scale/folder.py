"""A folder of Parquet files: what is in it, before any row is labelled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from regimetry.errors import DataError, InstallError
from regimetry.scale.columns import Columns, choose_columns, require_alike

if TYPE_CHECKING:
    from regimetry.series.schema import Schema


@dataclass(frozen=True)
class TableFile:
    """One Parquet file.

    Attributes
    ----------
    path : Path
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
    root : Path
    columns : Columns
    files : tuple of TableFile
        In the order of their paths.
    skipped : tuple of (str, str)
        Files that were left out, and why.
    """

    root: Path
    columns: Columns
    files: tuple[TableFile, ...]
    skipped: tuple[tuple[str, str], ...]

    @property
    def rows(self) -> int:
        """Rows of all files."""
        return sum(file.rows for file in self.files)


def scan(
    source: Path,
    schema: Schema,
    *,
    by: str | None = None,
    fitted_by: str | None = None,
    time_column: str | None = None,
    keep_going: bool = False,
) -> Folder:
    """Look at every file: its columns, its rows and its instruments.

    Parameters
    ----------
    source : Path
        A file or a folder. Names that begin with "." or "_" are passed over.
    schema : Schema
        What the model reads.
    by : str or None
        The instrument column, or the key of ``key=value`` folders. ``None`` looks for it; without
        any, each file is an instrument of its own.
    fitted_by : str or None
        The instrument column of the fit, taken where it is there and ``by`` is ``None``.
    time_column : str or None
        ``None`` looks for it, as :func:`~regimetry.series.tables.read_table` does.
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
    import_pyarrow()
    root = source if source.is_dir() else source.parent
    columns: Columns | None = None
    files: list[TableFile] = []
    skipped: list[tuple[str, str]] = []
    for path in _parquet_files(source):
        relative = path.relative_to(root).as_posix()
        try:
            with opened(path, relative) as parquet:
                keys = _keys(relative)
                if columns is None:
                    columns = choose_columns(
                        parquet.schema_arrow, keys, schema, by, fitted_by, time_column, relative
                    )
                else:
                    require_alike(parquet.schema_arrow, keys, columns, relative)
                names = _instruments(parquet, keys, columns, relative)
                files.append(TableFile(path, relative, parquet.metadata.num_rows, names))
        except DataError as error:
            if not keep_going:
                raise
            skipped.append((relative, str(error)))
    if columns is None:
        raise DataError(
            f"None of the {len(skipped)} files of {source} can be used. The first: {skipped[0][1]}"
        )
    return Folder(root, columns, tuple(files), tuple(skipped))


def import_pyarrow() -> Any:
    """Return pyarrow with its Parquet part."""
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

    def __init__(self, relative: str, reason: object) -> None:
        line = next(iter(str(reason).splitlines()), type(reason).__name__)
        super().__init__(
            f"{relative} cannot be read as Parquet ({line}). Mend or remove it, or leave it out "
            "with keep_going (--keep-going)."
        )
        self.relative = relative


def opened(path: Path, relative: str, dictionary: Sequence[str] = ()) -> Any:
    """Open a Parquet file so that its pages come as they are asked for, not a row group at once."""
    pa = import_pyarrow()
    try:
        return pa.parquet.ParquetFile(
            path, read_dictionary=list(dictionary), pre_buffer=False, buffer_size=1 << 20
        )
    except (pa.ArrowException, OSError) as error:
        raise DamagedFileError(relative, error) from error


def batches(
    parquet: Any, relative: str, columns: Sequence[str], batch_size: int
) -> Iterator[Any]:
    """Yield record batches of some columns; what cannot be decoded is :class:`DamagedFileError`."""
    pa = import_pyarrow()
    try:
        yield from parquet.iter_batches(batch_size, columns=list(columns), use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise DamagedFileError(relative, error) from error


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
    parquet: Any, keys: dict[str, str], columns: Columns, relative: str
) -> tuple[str, ...]:
    """Return whom a file has rows of, in the order in which they appear."""
    if not columns.instrument_in_file:
        return (keys[columns.instrument] if columns.instrument else relative,)
    assert columns.instrument is not None
    found: dict[str, None] = {}
    with opened(Path(parquet._source) if False else _path_of(parquet), relative) as again:
        for batch in batches(again, relative, [columns.instrument], 1 << 20):
            found.update(dict.fromkeys(map(str, batch.column(0).unique().to_pylist())))
    return tuple(found)


def _path_of(parquet: Any) -> Path:
    raise NotImplementedError
