"""The first lines of a table of text: what separates the fields, and the names of the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from regimetry.errors import DataError
from regimetry.series.file_options import SEPARATORS
from regimetry.series.numbers import is_missing, looks_like_number
from regimetry.series.times import readings_of_texts

CANDIDATES = "\t;|,"
_LINES = 6
_REMEDY = "remove it (sed {line}d FILE | regimetry VERB - does)"


@dataclass(frozen=True)
class Header:
    """What the first lines say.

    Attributes
    ----------
    separator : str
        A blank stands for any number of them.
    names : list of str
        Of the columns; those without one are empty.
    lines : int
        How many there are before the first row.
    """

    separator: str
    names: list[str]
    lines: int


def separator_of(line: str, following: str = "") -> str | None:
    """Return what separates the fields of a header: the first of tab, ``;``, ``|`` and ``,`` there.

    Blanks do, where none of these stands in it, and the line that follows has as many words, more
    than one, of which one is a value. ``None``: there is one field.
    """
    for mark in CANDIDATES:
        if mark in line:
            return mark
    words = following.split()
    alike = len(words) > 1 and len(words) == len(line.split())
    return " " if alike and any(map(_is_value, words)) else None


def fields_of(text: str, separator: str) -> list[list[str]]:
    """Return the fields of each line, without blanks around them; a blank line has none.

    Raises
    ------
    csv.Error
        A quotation does not end, or the like.
    """
    if separator == " ":
        return [line.split() for line in io.StringIO(text)]
    lines = io.StringIO(text, newline="")
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True, strict=True)
    return [[field.strip() for field in row] for row in reader]


def read_header(text: str, separator: str | None, source: str) -> Header:
    """Read the names of the columns.

    Parameters
    ----------
    text : str
        The beginning of the file.
    separator : str or None
        What was said of it; see :class:`~regimetry.series.file_options.FileOptions`.
    source : str
        The file, for messages.

    Returns
    -------
    Header

    Raises
    ------
    DataError
        There is no line of names, or others beside it.
    """
    lines = [line for line in islice(io.StringIO(text, newline=None), 2 * _LINES)]
    told = 0
    if lines and lines[0].lower().startswith("sep=") and len(lines[0].strip()) == 5:
        separator, told = separator or lines[0][4], 1  # as Excel writes it
    first, second, *_ = [line for line in lines[told:] if line.strip()] + ["", ""]
    if not first:
        raise DataError(f"{source} is empty.")
    chosen = SEPARATORS.get(separator or "", separator) or separator_of(first, second)
    if chosen is None and separator_of(second) is not None:
        _refuse_title(source, first, second)
    try:
        rows = fields_of("".join(lines[told:]), chosen or ",")
    except csv.Error as error:
        raise DataError(f"{source} cannot be read as a table ({error}).") from error
    full = [(number, row) for number, row in enumerate(rows, told + 1) if row][:_LINES]
    names, used = _names([row for _, row in full], source)
    end = full[used - 1][0]
    body = full[used:]
    if body:
        names = _matched(names, body[0][1], source, first, second)
        _refuse_units([row for _, row in body], body[0][0], source)
    return Header(chosen or ",", names, end)


def _names(rows: Sequence[list[str]], source: str) -> tuple[list[str], int]:
    """Return the names, and of how many rows they are.

    Of two rows of names, such as those of fields and of the ticker, the one that is the same
    throughout is left out; a third may hold the name of the index alone.
    """
    first, second, third = [*rows, [], []][:3]
    if len(third) < 2 or not third[0] or any(third[1:]):
        third = []
    two = len(second) == len(first) and (len(first) > 2 or bool(third))
    if two and not any(map(_is_value, second)) and (third or len(set(second[1:])) == 1):
        telling = [row for row in (first, second) if len(set(row[1:])) == len(row) - 1]
        if not telling:
            raise DataError(
                f"{source} has a header of two lines, in which {first[1]!r} stands over several "
                "instruments. Write one row per time and instrument, with a column for its name."
            )
        name = (third or [first[0]])[0]
        return [name, *telling[0][1:]], 3 if third else 2
    _require_names(first, source)
    return first, 1


def _is_value(text: str) -> bool:
    """Return whether a text is a number or a time."""
    return looks_like_number(text) or any(not np.isnat(one[0]) for one in readings_of_texts([text]))


def _require_names(names: Sequence[str], source: str) -> None:
    """Raise :class:`DataError` where values stand; names may be numbers that count the columns."""
    given = [name for name in names if name]
    if given in ([str(i + first) for i in range(len(given))] for first in (0, 1)):
        return
    if 2 * sum(map(_is_value, given)) > len(given):
        raise DataError(
            f"{source} begins with {', '.join(given[:3])}: values, where the names of the columns "
            "belong. Write a line of names above them, such as time,open,high,low,close."
        )


def _matched(names: list[str], row: list[str], source: str, first: str, second: str) -> list[str]:
    """Return the names, and one more where rows end with a separator and the header does not."""
    if len(row) == len(names) + 1 and not row[-1]:
        return [*names, ""]
    if len(row) > len(names) or any(names[len(row) :]):
        _refuse_title(source, first, second)
    return names


def _refuse_title(source: str, first: str, second: str) -> None:
    raise DataError(
        f"{source} begins with {first.strip()[:60]!r}, and the line below, "
        f"{second.strip()[:60]!r}, does not have as many fields. The first line must name every "
        f"column. If it is a title, {_REMEDY.format(line=1)}."
    )


def _refuse_units(rows: Sequence[list[str]], line: int, source: str) -> None:
    """Raise :class:`DataError` where a row has no value in any place, and the next one has."""
    first, second, *_ = [*rows, []]
    told = [field for field in first if not is_missing(field)]
    if not told or any(map(_is_value, told)):
        return
    if any(a and looks_like_number(b) for a, b in zip(first, second, strict=False)):
        raise DataError(
            f"Line {line} of {source} holds {', '.join(told[:3])}: neither numbers nor times. If "
            f"it says the units of the columns, {_REMEDY.format(line=line)}."
        )
