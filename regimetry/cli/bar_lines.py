"""Bars from lines of text as they arrive: CSV with a header, or one JSON object per line."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO, Protocol

from regimetry.errors import DataError
from regimetry.series.schema import Schema
from regimetry.series.table_files import TIME_NAMES

LINE_BYTES = 1 << 20
"""The longest line that is read; a longer one is an error, and is not kept in memory."""

SHOWN = 60
"""Characters of a value that a message quotes."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One line, read.

    Attributes
    ----------
    time : str, int, float or None
        As the input wrote it; ``None`` without a time column.
    timestamp : datetime, int, float or None
        The same in a form that can be ordered; times with a zone in UTC.
    row : mapping
        Column name to number, or to text for a column of categories.
    """

    time: Any
    timestamp: datetime | int | float | None
    row: Mapping[str, Any]


class Reader(Protocol):
    """What turns a line into a bar."""

    def bar(self, text: str) -> Bar:
        """Read one line; raise :class:`DataError` where it is no bar of the model's columns."""
        ...


def lines(source: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield number and content of every line that is not blank, as soon as it is there.

    The content is ``None`` where the line is longer than :data:`LINE_BYTES`.
    """
    number = 0
    try:
        while line := source.readline(LINE_BYTES):
            number += 1
            if len(line) == LINE_BYTES and not line.endswith(b"\n"):
                while (rest := source.readline(LINE_BYTES)) and not rest.endswith(b"\n"):
                    pass
                yield number, None
            elif line.strip():
                yield number, line
    except OSError as error:
        raise DataError(f"Standard input cannot be read ({error.strerror}).") from error


def decode(line: bytes | None) -> str:
    """Return a line as text, without its end."""
    if line is None:
        raise DataError(f"The line is longer than {LINE_BYTES} bytes.")
    try:
        return line.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DataError(f"The line is not UTF-8 text (byte {error.start}).") from error


def is_json(line: bytes | None) -> bool:
    """Tell JSON lines from CSV by the first character."""
    return (line or b"").removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


class CsvReader:
    """Lines of CSV, whose columns a header names.

    Parameters
    ----------
    header : str
        The first line.
    schema : Schema
        Further columns are ignored.
    time_column : str or None
        ``None`` takes the first column named as in :data:`TIME_NAMES`, if any.

    Raises
    ------
    DataError
        The header lacks a column, or names it twice.
    """

    def __init__(self, header: str, schema: Schema, time_column: str | None) -> None:
        self._schema = schema
        self._header = _csv_fields(header)
        self._time = _time_name(self._header, schema) if time_column is None else time_column
        wanted = [*schema.names, *([] if self._time is None else [self._time])]
        missing = [name for name in wanted if name not in self._header]
        if missing:
            raise DataError(
                f"The header lacks {', '.join(map(repr, missing))}; its columns are "
                f"{', '.join(self._header)}. The first line must name the columns."
            )
        for name in wanted:
            if self._header.count(name) > 1:
                raise DataError(f"The header names {name!r} more than once; name it once.")

    def bar(self, text: str) -> Bar:
        """Read one line."""
        fields = _csv_fields(text)
        if len(fields) != len(self._header):
            raise DataError(
                f"The line has {len(fields)} fields; the header has {len(self._header)}."
            )
        found = dict(zip(self._header, fields, strict=True))
        time = None if self._time is None else found[self._time]
        return Bar(time, _timestamp(time), _bar_row(found, self._schema, _number_of_text))


class JsonReader:
    """Lines of JSON, each an object whose keys are column names.

    Parameters
    ----------
    schema : Schema
        Further keys are ignored.
    time_column : str or None
        ``None`` takes the first key named as in :data:`TIME_NAMES`, if any; every later line must
        then have it.
    """

    def __init__(self, schema: Schema, time_column: str | None) -> None:
        self._schema = schema
        self._time = time_column

    def bar(self, text: str) -> Bar:
        """Read one line."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"The line is not JSON ({error}).") from error
        if not isinstance(found, dict):
            raise DataError("The line is JSON, but not an object of column names and values.")
        name = _time_name(list(found), self._schema) if self._time is None else self._time
        if name is not None and name not in found:
            raise DataError(f"The line lacks the time {name!r}.")
        time = None if name is None else found[name]
        bar = Bar(time, _timestamp(time), _bar_row(found, self._schema, _number_of_json))
        self._time = name
        return bar


def _csv_fields(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise DataError(f"The line is not CSV ({error}).") from error


def _time_name(names: list[str], schema: Schema) -> str | None:
    return next((n for n in names if n.lower() in TIME_NAMES and n not in schema.names), None)


def _bar_row(found: Mapping[str, Any], schema: Schema, number: Any) -> dict[str, Any]:
    return {
        column.name: found[column.name]
        if column.categories is not None
        else number(column.name, found[column.name])
        for column in schema.columns
        if column.name in found
    }


def _number_of_text(name: str, text: str) -> float:
    try:
        if "_" not in text:
            return float(text)
    except ValueError:
        pass
    raise DataError(f"Column {name!r} holds {text[:SHOWN]!r}, which is not a number.")


def _number_of_json(name: str, value: Any) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise DataError(f"Column {name!r} holds {json.dumps(value)[:SHOWN]}, which is not a number.")


def _timestamp(value: Any) -> datetime | int | float | None:
    """Return a time that can be compared with others of its kind."""
    if value is None:
        return None
    found = _time_of_text(value) if isinstance(value, str) else value
    if isinstance(found, float) and math.isfinite(found):
        return found
    if isinstance(found, int | datetime) and not isinstance(found, bool):
        return found
    raise DataError(
        f"The time {repr(value)[:SHOWN]} is neither ISO 8601, such as 2024-05-31T16:00, nor a "
        "number."
    )


def _time_of_text(text: str) -> datetime | int | float | None:
    for read in (int, float, _instant):
        try:
            return read(text)
        except (ValueError, OverflowError):
            continue
    return None


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is None else found.astimezone(UTC).replace(tzinfo=None)
