"""Which columns of a Parquet file are the instrument, the time, and what the model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from regimetry.errors import DataError
from regimetry.series.layout import layout_of
from regimetry.series.schema import Schema
from regimetry.series.time_column import likely_time
from regimetry.series.time_options import TimeOptions

INSTRUMENT_NAMES = ("symbol", "ticker", "instrument")
"""Names, in any case, by which an instrument column is found."""


@dataclass(frozen=True)
class Columns:
    """What is read of every file.

    Attributes
    ----------
    schema : Schema
        What the model reads.
    instrument : str or None
        The column of instruments, or the key of folders; ``None``: each file is one.
    instrument_type : pyarrow.DataType or None
        int64 or string, as it is written; ``None`` where it stands in the path or nowhere.
    reading : TimeOptions
        The column of times, and how its text reads.
    time_type : pyarrow.DataType or None
    origin : str
        The file that decided.
    """

    schema: Schema
    instrument: str | None
    instrument_type: Any
    reading: TimeOptions
    time_type: Any
    origin: str

    @property
    def time(self) -> str | None:
        """The column of times; ``None``: rows come in the order of their time."""
        return self.reading.time_column

    @property
    def instrument_in_file(self) -> bool:
        """Whether a column of the files names the instrument."""
        return self.instrument_type is not None

    @property
    def keys(self) -> list[str]:
        """Names of the columns of the files that say whose a row is, and of when."""
        instrument = self.instrument if self.instrument_in_file else None
        return list(dict.fromkeys(name for name in (instrument, self.time) if name is not None))

    @property
    def read(self) -> list[str]:
        """Names of the columns to read."""
        return list(dict.fromkeys([*self.keys, *self.schema.names]))


def choose_columns(
    head: Any,
    keys: Mapping[str, str],
    schema: Schema | None,
    *,
    by: str | None,
    fitted_by: str | None,
    time: TimeOptions,
    relative: str,
) -> Columns:
    """Decide by the first file; parameters are those of :func:`~regimetry.scale.folder.scan`.

    Parameters
    ----------
    head : pyarrow.Table
        Its first rows.
    keys : mapping of str to str
        The ``key=value`` parts of its path.
    relative : str
        The file, for messages.

    Raises
    ------
    DataError
        A column is missing or of a kind that cannot serve.
    """
    arrow = head.schema
    if schema is not None:
        _require_features(arrow, schema, relative)
    instrument = by or _find_instrument(arrow, keys, fitted_by)
    instrument_type = None
    if instrument is not None and instrument not in keys:
        instrument_type = _instrument_type(arrow, instrument, relative)
    if time.time_column is not None:
        _type_of(arrow, time.time_column, relative)
    reading = _find_time(head, instrument, () if schema is None else schema.names, time)
    column = reading.time_column
    time_type = None if column is None else _time_type(arrow, column, relative)
    if schema is None:
        schema = _all_numbers(head, (instrument, column), relative)
    return Columns(schema, instrument, instrument_type, reading, time_type, relative)


def require_alike(arrow: Any, keys: Mapping[str, str], columns: Columns, relative: str) -> None:
    """Raise :class:`DataError` unless another file has the same columns.

    The kinds of numbers of the features may differ; the time must have the same type, and so must
    the instrument.
    """
    _require_features(arrow, columns.schema, relative)
    name = columns.instrument
    if name is not None and columns.instrument_in_file:
        kind = _instrument_type(arrow, name, relative)
        _require_same(name, kind, columns.instrument_type, columns.origin, relative)
    elif name is not None and name not in keys:
        raise DataError(
            f"{relative} is not in a folder {name}=..., but {columns.origin} is. "
            "Move it, or leave it out."
        )
    if columns.time is not None:
        kind = _time_type(arrow, columns.time, relative)
        _require_same(columns.time, kind, columns.time_type, columns.origin, relative)


def _require_same(name: str, found: Any, expected: Any, origin: str, relative: str) -> None:
    if found != expected:
        raise DataError(
            f"Column {name!r} is {found} in {relative} and {expected} in {origin}. Write all files "
            "with one type."
        )


def _all_numbers(head: Any, besides: tuple[str | None, ...], relative: str) -> Schema:
    index = (head.schema.pandas_metadata or {}).get("index_columns", [])
    index = [name for name in index if isinstance(name, str)]  # it counts rows, or is the time
    try:
        return layout_of(head, exclude=(*besides, *index))
    except DataError as error:
        raise DataError(f"{relative}: {error}") from error


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or kind == pa.bool_()
    return bool(number or pa.types.is_decimal(kind) or is_text_type(kind))


def is_text_type(kind: Any) -> bool:
    """Return whether an Arrow type is text."""
    import pyarrow as pa

    text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return bool(text or pa.types.is_string_view(kind))


def _require_features(arrow: Any, schema: Schema, relative: str) -> None:
    for column in schema.columns:
        kind = _type_of(arrow, column.name, relative)
        if column.categories is None and not _is_number(kind):
            raise DataError(
                f"Column {column.name!r} of {relative} holds {kind}; the model reads numbers "
                "there. Write it as numbers."
            )


def _type_of(arrow: Any, name: str, relative: str) -> Any:
    if arrow.names.count(name) != 1:
        raise DataError(
            f"{relative} has {arrow.names.count(name) or 'no'} column {name!r}; its columns are "
            f"{', '.join(arrow.names)}. Write it with one, or leave the file out."
        )
    return arrow.field(name).type


def _find_instrument(arrow: Any, keys: Mapping[str, str], fitted_by: str | None) -> str | None:
    there = [*keys, *arrow.names]
    if fitted_by in there:
        return fitted_by
    named = [name for name in there if name.lower() in INSTRUMENT_NAMES]
    return (named or list(keys)[:1] or [None])[0]


def _instrument_type(arrow: Any, name: str, relative: str) -> Any:
    import pyarrow as pa

    kind = _type_of(arrow, name, relative)
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_integer(kind):
        return pa.int64()
    if is_text_type(kind):
        return pa.string()
    raise DataError(
        f"Column {name!r} of {relative} holds {kind}; text or whole numbers can name instruments. "
        "Choose another column (by, --by)."
    )


def _find_time(
    head: Any, instrument: str | None, features: Sequence[str], given: TimeOptions
) -> TimeOptions:
    import pyarrow as pa

    index = (head.schema.pandas_metadata or {}).get("index_columns", [])
    for name in index if len(index) == 1 and given.time_column is None else []:
        if name in head.column_names and pa.types.is_timestamp(head.schema.field(name).type):
            return replace(given, time_column=str(name))
    return likely_time(head, by=instrument, besides=features, options=given)


def _time_type(arrow: Any, name: str, relative: str) -> Any:
    import pyarrow as pa

    kind = _type_of(arrow, name, relative)
    for allowed in ("timestamp", "date", "integer", "floating", "string", "large_string"):
        if getattr(pa.types, f"is_{allowed}")(kind):
            return kind
    raise DataError(
        f"Column {name!r} of {relative} holds {kind}, which is not a time. Name another "
        "time column."
    )
