"""Which columns of a Parquet file are the instrument, the time, and what the model reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regimetry.errors import DataError
from regimetry.series.schema import Schema
from regimetry.series.time_column import likely_time

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
    time : str or None
        ``None``: rows come in the order of their time.
    time_type : pyarrow.DataType or None
    origin : str
        The file that decided.
    repeated : bool
        Whether rows of an instrument may have the time of the row before.
    """

    schema: Schema
    instrument: str | None
    instrument_type: Any
    time: str | None
    time_type: Any
    origin: str
    repeated: bool = False

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
    time_column: str | None,
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
    time = time_column or _find_time(head, instrument, () if schema is None else schema.names)
    time_type = None if time is None else _time_type(arrow, time, relative)
    if schema is None:
        schema = _all_numbers(arrow, (instrument, time), relative)
    return Columns(schema, instrument, instrument_type, time, time_type, relative)


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


def _all_numbers(arrow: Any, besides: tuple[str | None, ...], relative: str) -> Schema:
    index = (arrow.pandas_metadata or {}).get("index_columns", [])  # counts rows, or is the time
    names = [
        field.name
        for field in arrow
        if _is_number(field.type) and field.name not in besides and field.name not in index
    ]
    if not names:
        raise DataError(
            f"There is no column of numbers among {', '.join(arrow.names)} of {relative}; one is "
            "needed."
        )
    return Schema.numeric(tuple(names))


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or kind == pa.bool_()
    return bool(number or pa.types.is_decimal(kind))


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
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    raise DataError(
        f"Column {name!r} of {relative} holds {kind}; text or whole numbers can name instruments. "
        "Choose another column (by, --by)."
    )


def _find_time(head: Any, instrument: str | None, features: Sequence[str]) -> str | None:
    import pyarrow as pa

    index = (head.schema.pandas_metadata or {}).get("index_columns", [])
    for name in index if len(index) == 1 else []:
        if name in head.column_names and pa.types.is_timestamp(head.schema.field(name).type):
            return str(name)
    return likely_time(head, by=instrument, besides=features)


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
