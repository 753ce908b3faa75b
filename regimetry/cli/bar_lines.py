"""Bars from lines of text as they arrive: CSV with a header, or one JSON object per line."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

import numpy as np

from regimetry.cli.bar_times import SHOWN, BarClock
from regimetry.errors import DataError
from regimetry.series.file_options import PLAIN, SEPARATORS, FileOptions
from regimetry.series.numbers import numbers_of_texts
from regimetry.series.schema import Schema
from regimetry.series.text_header import fields_of, separator_of

LINE_BYTES = 1 << 20
"""The longest line that is read; a longer one is an error, and is not kept in memory."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One line, read.

    Attributes
    ----------
    time : str, int, float or None
        As the input wrote it; ``None`` without a time column.
    timestamp : datetime64, int, float or None
        The same in a form that can be ordered; times with a zone in UTC.
    row : mapping
        Column name to number, or to text for a column of categories.
    """

    time: Any
    timestamp: np.datetime64 | int | float | None
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


def decode(line: bytes | None, encoding: str | None = None) -> str:
    """Return a line as text, without its end; ``None`` is UTF-8."""
    if line is None:
        raise DataError(f"The line is longer than {LINE_BYTES} bytes.")
    try:
        return line.decode(encoding or "utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise DataError(
            f"The line is not {encoding or 'UTF-8'} text (byte {error.start}). Say its encoding: "
            "--encoding."
        ) from error


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
    options : FileOptions
        The first bar decides which column is the time, where none is named. Numbers have a decimal
        point unless these say otherwise: one line does not show which it is.

    Raises
    ------
    DataError
        The header lacks a column, or names it twice.
    """

    def __init__(self, header: str, schema: Schema, options: FileOptions = PLAIN) -> None:
        self._schema, self._decimal = schema, options.decimal
        given = SEPARATORS.get(options.separator or "", options.separator)
        self._separator = given or separator_of(header) or ","
        self._header = options.renamed(self._fields(header))
        self._clock = BarClock(schema, options.time)
        column = options.time.time_column
        wanted = [*schema.names, *([] if column is None else [column])]
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
        fields = self._fields(text)
        if len(fields) != len(self._header):
            raise DataError(
                f"The line has {len(fields)} fields; the header has {len(self._header)}."
            )
        found = dict(zip(self._header, fields, strict=True))
        return Bar(*self._clock.read(found), _bar_row(found, self._schema, self._number))

    def _fields(self, text: str) -> list[str]:
        try:
            return next(iter(fields_of(text, self._separator)), [])
        except csv.Error as error:
            raise DataError(f"The line is not CSV ({error}).") from error

    def _number(self, name: str, text: str) -> float:
        if self._decimal is None and self._separator != "," and "," in text:
            raise DataError(
                f"Column {name!r} holds {text[:SHOWN]!r}, whose comma could stand before the "
                "decimals or between thousands. Say which: --decimal , or --decimal ."
            )
        values, read = numbers_of_texts([text], self._decimal or ".")
        if read[0]:  # nothing at all is a missing value
            return float(values[0])
        raise DataError(f"Column {name!r} holds {text[:SHOWN]!r}, which is not a number.")


class JsonReader:
    """Lines of JSON, each an object whose keys are column names.

    Parameters
    ----------
    schema : Schema
        Further keys are ignored.
    options : FileOptions
        The first bar decides which key is the time, where none is named; every later line must have
        it.
    """

    def __init__(self, schema: Schema, options: FileOptions = PLAIN) -> None:
        self._schema, self._options = schema, options
        self._clock = BarClock(schema, options.time)

    def bar(self, text: str) -> Bar:
        """Read one line."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"The line is not JSON ({error}).") from error
        if not isinstance(found, dict):
            raise DataError("The line is JSON, but not an object of column names and values.")
        found = dict(zip(self._options.renamed([*found]), found.values(), strict=True))
        return Bar(*self._clock.read(found), _bar_row(found, self._schema, _number_of_json))


def _bar_row(found: Mapping[str, Any], schema: Schema, number: Any) -> dict[str, Any]:
    return {
        column.name: found[column.name]
        if column.categories is not None
        else number(column.name, found[column.name])
        for column in schema.columns
        if column.name in found
    }


def _number_of_json(name: str, value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise DataError(f"Column {name!r} holds {json.dumps(value)[:SHOWN]}, which is not a number.")
