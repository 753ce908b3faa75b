"""Rows of one series or of many instruments, segment after segment, and the way back."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError, DataWarning
from regimetry.series.frames import (
    columns_of,
    like_frame,
    matrix_of,
    names_of,
    native_of,
)
from regimetry.series.matrix import require_finite
from regimetry.series.plain_frames import is_frame, plain
from regimetry.series.resample import binned
from regimetry.series.rules import PLAIN, ReadingRules
from regimetry.series.scaling import InstrumentScaling
from regimetry.series.schema import Schema
from regimetry.series.segments import segments_of
from regimetry.series.series import as_series
from regimetry.series.spans import segment_offsets, starts_of
from regimetry.series.time_column import find_time
from regimetry.series.time_options import FOUND, TimeOptions


@dataclass(frozen=True)
class Panel:
    """T rows of F features in S segments: those of each instrument together, in rising time.

    The rows of a segment follow each other; between segments lies a gap, or another instrument
    begins. No window crosses from one into the next.

    Attributes
    ----------
    data : array, frame or mapping
        What the caller gave, whose kind results take.
    values : ndarray of float32 or float64, shape (T, F)
        Finite.
    offsets : ndarray of int64, shape (S + 1,)
        First row of each segment, and T.
    instruments : tuple of str or None
        S names, of the instrument of each segment; ``None`` for one series, which has none.
    timestamps : ndarray, shape (T,), or None
        Rising within each instrument.
    place : ndarray of int64, shape (R,), or None
        For each of the R rows of ``data`` the row here that has its result, -1 for none; ``None``
        where they lie as they came.
    """

    data: Any
    values: NDArray[np.floating]
    offsets: NDArray[np.int64]
    instruments: tuple[str, ...] | None = None
    timestamps: NDArray[Any] | None = None
    place: NDArray[np.int64] | None = None

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Rows of each segment, (S,)."""
        return np.diff(self.offsets)

    @property
    def named(self) -> list[tuple[str | None, NDArray[np.floating]]]:
        """The instrument of each segment, ``None`` for one series, and its rows, a view."""
        names = self.instruments or (None,) * len(self.lengths)
        return list(zip(names, self.parts(), strict=True))

    def parts(self) -> list[NDArray[np.floating]]:
        """Return the rows of each segment, views."""
        return [self.values[a:b] for a, b in pairwise(self.offsets.tolist())]

    def scaled(self, scaling: InstrumentScaling | None) -> Panel:
        """Return the same with each instrument's rows in common units; a lone series has none."""
        if scaling is None or self.instruments is None:
            return self
        values = scaling.apply_each(self.values, self.instruments, self.offsets)
        return replace(self, values=values)

    def ends(self, rows: int) -> NDArray[np.int64]:
        """Return the last row of every window of ``rows`` rows, (N,); none crosses segments."""
        return starts_of(self.offsets, rows) + (rows - 1)

    def boundaries(self, rows: int, *, carry: bool = False) -> NDArray[np.int64]:
        """Return the number of each segment's first window, and N: (S + 1,).

        ``carry``: of each instrument's, for what goes on after a gap.
        """
        bounds = segment_offsets(np.maximum(self.lengths - rows + 1, 0))
        if not carry:
            return bounds
        if self.instruments is None:
            return bounds[[0, -1]]
        begins = [a != b for a, b in pairwise(self.instruments)]
        return bounds[np.flatnonzero([True, *begins, True])]

    def give(self, values: NDArray[Any], names: Sequence[str], missing: int) -> Any:
        """Return a result of every row in the kind of the data.

        Parameters
        ----------
        values : ndarray, shape (T,) or (T, C)
            In the order of the panel.
        names : sequence of str
            Of the Series, or of the C columns, where the result is a frame.
        missing : int
            Integer that stands for a missing value.

        Returns
        -------
        array, Series or DataFrame, or dict of these
            As many rows as the data, in their order.
        """
        values = self.in_given_order(values, missing)
        if not isinstance(self.data, Mapping):
            return _like(self.data, values, names, missing)
        return {
            name: _like(one, values[a:b], names, missing)
            for (name, one), (a, b) in zip(self.data.items(), self._given_spans(), strict=True)
        }

    def in_given_order(self, values: NDArray[Any], missing: int) -> NDArray[Any]:
        """Return a result of every row, (T, ...), at the rows of the data, (R, ...)."""
        if self.place is None:
            return values
        back = blank(len(self.place), values, missing)
        here = self.place >= 0
        back[here] = values[self.place[here]]
        return back

    def give_rows(self, values: NDArray[Any], rows: NDArray[np.int64], names: Sequence[str]) -> Any:
        """Return a result of some rows in the kind of the data, a frame's under those rows.

        Parameters
        ----------
        values : ndarray, shape (N, C)
        rows : ndarray of int64, shape (N,)
            Rising. What stands at no row of the data is left out.
        names : sequence of str
        """
        places = rows
        if self.place is not None:
            first = np.full(len(self.values), -1)
            here = np.flatnonzero(self.place >= 0)[::-1]  # of several the first has the last word
            first[self.place[here]] = here
            places = first[rows]
            values, places = values[places >= 0], places[places >= 0]
        if not isinstance(self.data, Mapping):
            return _at_rows(self.data, values, places, names)
        found = {}
        for (name, one), (a, b) in zip(self.data.items(), self._given_spans(), strict=True):
            mine = (places >= a) & (places < b)
            found[name] = _at_rows(one, values[mine], places[mine] - a, names)
        return found

    def _given_spans(self) -> Iterator[tuple[int, int]]:
        """First row and end, among all, of each entry of a mapping."""
        return pairwise(np.cumsum([0, *map(len, self.data.values())]).tolist())


def blank(rows: int, like: NDArray[Any], missing: int) -> NDArray[Any]:
    """Return results (rows, ...) of the kind of ``like``, all missing: of floats NaN."""
    kind = like.dtype.kind
    filling: Any = missing if kind == "i" else False if kind == "b" else np.nan
    return np.full((rows, *like.shape[1:]), filling, like.dtype)


def _like(data: Any, values: NDArray[Any], names: Sequence[str], missing: int) -> Any:
    if is_frame(data):
        return like_frame(data, values, names, missing=missing)
    return values == 1 if values.dtype == np.int8 else values  # flags


def _at_rows(data: Any, values: NDArray[Any], rows: NDArray[np.int64], names: Sequence[str]) -> Any:
    """Return values (N, C), of a frame as a frame with the index of its rows (N,)."""
    if not is_frame(data):
        return values
    if (np.diff(rows) < 0).all():  # newest first
        rows, values = rows[::-1], values[::-1]
    return like_frame(native_of(data)[rows].to_native(), values, names, missing=-1)


def as_panel(
    data: Any,
    schema: Schema,
    *,
    by: str | None = None,
    rules: ReadingRules = PLAIN,
    time: TimeOptions = FOUND,
) -> Panel:
    """Check one series or many instruments against a schema.

    Parameters
    ----------
    data : array, frame, or mapping of str to array or frame
        One series; or a frame with a column ``by`` that names the instrument of each row; or one
        series an instrument.
    schema : Schema
    by : str or None
        Where a frame lacks it, the frame is one series.
    rules : ReadingRules
    time : TimeOptions
        Of frames.

    Returns
    -------
    Panel
        Of a long frame with the instruments in rising order of their names.

    Raises
    ------
    DataError
        As for :func:`~regimetry.series.series.as_series` and
        :func:`~regimetry.series.segments.segments_of`, with the instrument named.
    """
    given = given_panel(data, schema, by=by, time=rules.of_times(time))
    return read_panel(given, schema, rules)


def given_panel(data: Any, schema: Schema, *, by: str | None, time: TimeOptions = FOUND) -> Panel:
    """Return the rows as they were given, missing values as NaN, a segment an instrument."""
    data = plain(data)
    if isinstance(data, Mapping):
        return _from_mapping(data, schema, time)
    if by is not None and is_frame(data) and by in columns_of(data):
        return _from_long(data, schema, by, time)
    series = as_series(data, schema, time, with_missing=True)
    rows = len(series.values)
    place = np.arange(rows)[::-1] if series.newest_first else None
    return Panel(data, series.values, np.array([0, rows]), None, series.timestamps, place)


def read_panel(given: Panel, schema: Schema, rules: ReadingRules) -> Panel:
    """Read the rows of :func:`given_panel` by the rules."""
    if rules.gap is not None and given.timestamps is None:
        warnings.warn(
            f"the rows have no times, so that no gap longer than max_gap {rules.max_gap} is seen",
            DataWarning,
            stacklevel=3,
        )
    place = given.place
    if rules.resample is not None:
        bins = binned(given.values, given.offsets, given.timestamps, rules)
        place = bins.place if place is None else bins.place[place]
        given = replace(given, values=bins.values, offsets=bins.offsets, timestamps=bins.times)
    found = segments_of(
        given.values,
        given.offsets,
        given.timestamps,
        rules=rules,
        names=schema.feature_names,
        series=given.instruments,
    )
    times, rows = given.timestamps, found.rows
    if rows is not None:
        read = np.full(len(given.values) + 1, -1)  # the last place is that of none
        read[rows] = np.arange(len(rows))
        place = read[:-1] if place is None else read[place]
        times = None if times is None else times[rows]
    owners = given.instruments
    if owners is not None:
        owners = tuple(owners[place] for place in found.owners.tolist())
    return replace(
        given,
        values=found.values,
        offsets=found.offsets,
        instruments=owners,
        timestamps=times,
        place=place,
    )


def _from_mapping(data: Mapping[Any, Any], schema: Schema, time: TimeOptions) -> Panel:
    if not data:
        raise DataError("There is no instrument in the mapping; give at least one.")
    found = []
    for name, one in data.items():
        with _naming(str(name)):
            found.append(as_series(one, schema, time, with_missing=True))
    times = [series.timestamps for series in found]
    stamps = [time for time in times if time is not None]
    offsets = np.cumsum([0, *(len(series.values) for series in found)])
    turns = [-1 if series.newest_first else 1 for series in found]
    spans = zip(turns, pairwise(offsets.tolist()), strict=True)
    return Panel(
        data,
        np.concatenate([series.values for series in found]),
        offsets,
        tuple(map(str, data)),
        np.concatenate(stamps) if len(stamps) == len(times) else None,
        np.concatenate([np.arange(a, b)[::turn] for turn, (a, b) in spans])
        if -1 in turns
        else None,
    )


def _from_long(frame: Any, schema: Schema, by: str, time: TimeOptions) -> Panel:
    names = names_of(frame, by)
    if not len(names):
        raise DataError("The data have no rows; give those of at least one instrument.")
    instruments, codes, counts = np.unique(names, return_inverse=True, return_counts=True)
    found = find_time(frame, by=by, options=time, besides=schema.names)
    values = matrix_of(frame, schema)
    require_finite(values, schema.feature_names, found.times, with_missing=True)
    found.warn()
    turned = np.arange(len(values))[:: -1 if found.newest_first else 1]
    order = turned[np.argsort(codes[turned], kind="stable")]
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return Panel(
        frame,
        values[order],
        np.concatenate([[0], np.cumsum(counts)]),
        tuple(instruments.tolist()),
        None if found.times is None else found.times[order],
        place,
    )


@contextmanager
def _naming(instrument: str) -> Iterator[None]:
    """Let an error say which instrument it is about."""
    try:
        yield
    except DataError as error:
        raise DataError(f"Instrument {instrument!r}: {error}") from error
