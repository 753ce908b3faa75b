"""Segments of series: rows that follow each other, between gaps in time and missing values."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError, DataWarning
from regimetry.series.gaps import steps
from regimetry.series.missing import Held, incomplete_rows, read_rows
from regimetry.series.rules import ReadingRules

_NAMED = 4  # columns that a note names


@dataclass(frozen=True)
class Segments:
    """The rows that are read, those of each segment together.

    Attributes
    ----------
    values : ndarray of float, shape (T, F)
        Finite.
    offsets : ndarray of int64, shape (S + 1,)
        First row of each segment, and T.
    owners : ndarray of int64, shape (S,)
        The series that each is of, as a place among those given.
    rows : ndarray of int64, shape (T,), or None
        Which of the given rows each is; ``None`` where all are read.
    """

    values: NDArray[np.floating]
    offsets: NDArray[np.int64]
    owners: NDArray[np.int64]
    rows: NDArray[np.int64] | None = None


def segments_of(
    values: NDArray[np.floating],
    offsets: NDArray[np.int64],
    times: NDArray[Any] | None,
    *,
    rules: ReadingRules,
    names: Sequence[str],
    series: Sequence[str] | None = None,
) -> Segments:
    """Leave out, fill and split by the rules.

    Parameters
    ----------
    values : ndarray of float, shape (T, F)
        NaN where missing, else finite.
    offsets : ndarray of int64, shape (I + 1,)
        First row of each series, and T.
    times : ndarray, shape (T,), or None
        Rising within each series.
    rules : ReadingRules
    names : sequence of str
        Of the F columns.
    series : sequence of str or None
        Names of the series, for messages.

    Returns
    -------
    Segments

    Raises
    ------
    DataError
        A value is missing where the rules refuse it, or no row is left.

    Warns
    -----
    DataWarning
        What was left out, filled and split.
    """
    incomplete = incomplete_rows(values)
    borders = borders_of(times, rules, offsets)
    own = Segments(values, offsets, np.arange(len(offsets) - 1))
    if not incomplete.any() and not borders.any():
        return own
    found = []
    for number, (a, b) in enumerate(pairwise(offsets.tolist())):
        of = "" if series is None else f"Instrument {series[number]!r}: "
        refuse(
            values[a:b],
            refused_rows(incomplete[a:b], rules),
            rules,
            names,
            of=of,
            times=None if times is None else times[a:b],
        )
        found.append(_read(values[a:b], incomplete[a:b], borders[a:b], rules.fill))
    keep = np.concatenate([one[1] for one in found])
    if series is None or len(series) > 1:
        _require_rows(values, keep, names)
    begins = np.concatenate([one[2] for one in found])[keep]
    rows = np.flatnonzero(keep)
    first = np.flatnonzero(begins)
    if incomplete.any() or not keep.all():
        values = np.concatenate([one[0][one[1]] for one in found])
    made = Segments(
        values,
        np.append(first, len(rows)).astype(np.int64),
        np.searchsorted(offsets, rows[first], side="right") - 1,
        None if keep.all() else rows,
    )
    _say(own, made, keep=keep, incomplete=incomplete, borders=borders, names=names, rules=rules)
    return made


def borders_of(
    times: NDArray[Any] | None, rules: ReadingRules, offsets: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return which rows (T,) come after a gap in time; ``offsets`` are those of the series."""
    borders = np.zeros(int(offsets[-1]), np.bool_)
    if rules.gap is None or times is None:
        return borders
    borders[1:] = steps(times) > rules.gap.of(times, "max_gap")
    inner = offsets[(offsets > 0) & (offsets < len(borders))]
    borders[inner] = False
    return borders


def refuse(
    values: NDArray[np.floating],
    refused: NDArray[np.bool_],
    rules: ReadingRules,
    names: Sequence[str],
    *,
    of: str = "",
    times: NDArray[Any] | None = None,
) -> None:
    """Raise :class:`DataError` naming the first value that must not be missing, if there is one.

    Parameters
    ----------
    values : ndarray of float, shape (T, F)
    refused : ndarray of bool, shape (T,)
        See :func:`refused_rows`.
    rules : ReadingRules
    names : sequence of str
        Of the F columns.
    of : str
        Whose rows they are, for messages.
    times : ndarray, shape (T,), or None
        For messages.
    """
    if not refused.any():
        return
    row = int(np.argmax(refused))
    column = int(np.argmax(np.isnan(values[row])))
    when = "" if times is None else f" ({times[row]})"
    raise DataError(
        f"{of}Row {row}{when}, column {names[column]!r} holds nan, a missing value; "
        f"{refusal(rules)}"
    )


def refused_rows(
    incomplete: NDArray[np.bool_], rules: ReadingRules, *, begun: bool = False
) -> NDArray[np.bool_]:
    """Return which rows of a series are refused; ``begun``: a complete one came before."""
    if rules.splits:
        return np.zeros_like(incomplete)
    if rules.missing == "trim" and not begun:
        return incomplete & (np.cumsum(~incomplete) > 0)
    return incomplete


def refusal(rules: ReadingRules) -> str:
    """Say why a missing value is refused, and what to do."""
    alone = "missing='trim' leaves out the first rows alone" if rules.missing == "trim" else (
        f"missing={rules.missing!r}"
    )  # fmt: skip
    return (
        f"{alone}. Let it split the series (missing='gap', --missing gap), fill it forward "
        "(missing='ffill'), or leave the column out."
    )


def _read(
    values: NDArray[np.floating],
    incomplete: NDArray[np.bool_],
    borders: NDArray[np.bool_],
    fill: int,
) -> tuple[NDArray[np.floating], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return values, which rows are kept and which begin a segment, of one series."""
    if not incomplete.any():
        begins = borders.copy()
        begins[:1] = True
        return values, ~incomplete, begins
    found = read_rows(values, borders, fill, Held.nothing(values.shape[1]))
    return found[:3]


def _require_rows(
    values: NDArray[np.floating], keep: NDArray[np.bool_], names: Sequence[str]
) -> None:
    if keep.any() or not len(keep):
        return
    shares = np.isnan(values).mean(axis=0)
    worst = int(np.argmax(shares))
    raise DataError(
        f"No row is complete: column {names[worst]!r} is missing in {shares[worst]:.0%} of "
        f"{len(keep)} rows. Leave the column out, or fill it forward (missing='ffill', "
        "--missing ffill)."
    )


def _say(
    given: Segments,
    made: Segments,
    *,
    keep: NDArray[np.bool_],
    incomplete: NDArray[np.bool_],
    borders: NDArray[np.bool_],
    names: Sequence[str],
    rules: ReadingRules,
) -> None:
    """Warn of what was done, a sentence for each kind."""
    left = ~keep
    leading = np.zeros_like(left)
    for a, b in pairwise(given.offsets.tolist()):
        leading[a : a + int(np.argmax(keep[a:b])) if keep[a:b].any() else b] = True
    inside, filled = left & ~leading, incomplete & keep
    parts = len(made.offsets) - 1
    said = [
        f"{what.format(_rows(which))}, since {_columns(given.values, which, names)} missing there"
        f"{then}"
        for what, which, then in (
            ("left out {} at the beginning", leading, ""),
            ("left out {}", inside, f"; the series falls into {parts} segments"),
        )
        if which.any()
    ]
    if filled.any():
        said.append(
            f"filled forward in {_rows(filled)}: "
            f"{_columns(given.values, filled, names).rpartition(' ')[0]}"
        )
    if borders.any():
        one = borders.sum() == 1
        said.append(
            f"{borders.sum()} gap{'' if one else 's'} longer than max_gap {rules.max_gap} "
            f"split{'s' if one else ''} the series into {parts} segments"
        )
    for text in said:
        warnings.warn(text, DataWarning, stacklevel=4)


def _rows(which: NDArray[np.bool_]) -> str:
    count = int(which.sum())
    return f"{count} row{'s' * (count != 1)}"


def _columns(values: NDArray[np.floating], which: NDArray[np.bool_], names: Sequence[str]) -> str:
    """Name the columns that are missing in these rows, with "is" or "are"."""
    holes = np.isnan(values[which]).any(axis=0)
    found = [names[i] for i in np.flatnonzero(holes).tolist()]
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    verb = "is" if len(found) == 1 else "are"
    return f"{', '.join(map(str, found[:_NAMED]))}{more} {verb}"
