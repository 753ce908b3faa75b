"""Bars from lines of text as they arrive: CSV with a header, or one JSON object per line."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, Protocol

import numpy as np

from regimetry.errors import DataError
from regimetry.series.numbers import numbers_of_texts
from regimetry.series.schema import Schema
from regimetry.series.time_column import names_time
from regimetry.series.times import (
    FOUND,
    TimeOptions,
    moment_of_readings,
    reading_of_numbers,
    readings_of_texts,
)

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
    time : TimeOptions
        The first bar decides which column it is, where none is named.

    Raises
    ------
    DataError
        The header lacks a column, or names it twice.
    """

    def __init__(self, header: str, schema: Schema, time: TimeOptions = FOUND) -> None:
        self._schema = schema
        self._header = _csv_fields(header)
        self._clock = _Clock(schema, time)
        wanted = [*schema.names, *([] if time.column is None else [time.column])]
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
        return Bar(*self._clock.read(found), _bar_row(found, self._schema, _number_of_text))


class JsonReader:
    """Lines of JSON, each an object whose keys are column names.

    Parameters
    ----------
    schema : Schema
        Further keys are ignored.
    time : TimeOptions
        The first bar decides which key it is, where none is named; every later line must have it.
    """

    def __init__(self, schema: Schema, time: TimeOptions = FOUND) -> None:
        self._schema = schema
        self._clock = _Clock(schema, time)

    def bar(self, text: str) -> Bar:
        """Read one line."""
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise DataError(f"The line is not JSON ({error}).") from error
        if not isinstance(found, dict):
            raise DataError("The line is JSON, but not an object of column names and values.")
        return Bar(*self._clock.read(found), _bar_row(found, self._schema, _number_of_json))


class _Clock:
    """Finds the time in the first bar, and reads it in all; see :mod:`regimetry.series.times`."""

    def __init__(self, schema: Schema, options: TimeOptions) -> None:
        self._features, self._options = schema.names, options
        self._name, self._open = options.column, options.column is None

    def read(self, found: Mapping[str, Any]) -> tuple[Any, np.datetime64 | int | float | None]:
        """Return the time of a line as it came, and to be ordered; both ``None`` without one."""
        name = self._found_in(found) if self._open else self._name
        if name is None:
            return None, None
        if name not in found:
            raise DataError(f"The line lacks the time {name!r}.")
        moment = self._moment(found[name])
        self._name, self._open = name, False
        return found[name], moment

    def _found_in(self, found: Mapping[str, Any]) -> str | None:
        kinds = {
            name: _kind(name, value, self._options, is_first=not place)
            for place, (name, value) in enumerate(found.items())
            if name not in self._features
        }
        return min((name for name in kinds if kinds[name]), key=kinds.__getitem__, default=None)

    def _moment(self, value: Any) -> np.datetime64 | int | float:
        number = _number(value)
        if number is not None and self._options.pattern is None:
            return number
        if not isinstance(value, str):
            raise DataError(f"The timestamp {repr(value)[:SHOWN]} is neither a date nor a number.")
        readings = readings_of_texts([value], self._options)
        moment = moment_of_readings(value, readings)
        if len(readings) == 2:
            # A day above 12 shows the order for the lines that follow.
            self._options = replace(self._options, day_first=bool(np.isnat(readings[0][0])))
        return moment


def _kind(name: str, value: Any, options: TimeOptions, *, is_first: bool) -> int:
    """Order what could be the time: dates, what the name says, a leading epoch; 0 is none.

    An epoch elsewhere may be a volume: one bar does not show whether it rises.
    """
    number = _number(value)
    texts = readings_of_texts([value], options) if isinstance(value, str) and number is None else []
    if any(not np.isnat(reading[0]) for reading in texts):
        return 1
    if names_time(name):
        return 2
    if not is_first or number is None or reading_of_numbers(np.array([number], np.float64)) is None:
        return 0
    return 3


def _number(value: Any) -> int | float | None:
    """Return a finite number, or one that a text is."""
    if isinstance(value, bool):
        return None
    for kind in (int, float) if isinstance(value, str) else ():
        with suppress(ValueError):
            value = kind(value)
            break
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, int | float) else None


def _csv_fields(text: str) -> list[str]:
    try:
        return next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise DataError(f"The line is not CSV ({error}).") from error


def _bar_row(found: Mapping[str, Any], schema: Schema, number: Any) -> dict[str, Any]:
    return {
        column.name: found[column.name]
        if column.categories is not None
        else number(column.name, found[column.name])
        for column in schema.columns
        if column.name in found
    }


def _number_of_text(name: str, text: str) -> float:
    values, read = numbers_of_texts([text])
    if read[0]:  # nothing at all is a missing value
        return float(values[0])
    raise DataError(f"Column {name!r} holds {text[:SHOWN]!r}, which is not a number.")


def _number_of_json(name: str, value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            pass
    raise DataError(f"Column {name!r} holds {json.dumps(value)[:SHOWN]}, which is not a number.")
