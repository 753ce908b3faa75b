"""Rows of one series or of many instruments, one after the other, and the way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.series.frames import (
    columns_of,
    like_frame,
    matrix_of,
    names_of,
    native_of,
)
from regimetry.series.matrix import require_finite
from regimetry.series.plain_frames import is_frame, plain
from regimetry.series.scaling import InstrumentScaling
from regimetry.series.schema import Schema
from regimetry.series.series import as_series
from regimetry.series.time_column import find_time
from regimetry.series.time_options import FOUND, TimeOptions


@dataclass(frozen=True)
class Panel:
    """T rows of F features: those of each instrument together, in rising time.

    Attributes
    ----------
    data : array, frame or mapping
        What the caller gave, whose kind results take.
    values : ndarray of float32 or float64, shape (T, F)
        Finite.
    offsets : ndarray of int64, shape (I + 1,)
        First row of each instrument, and T.
    instruments : tuple of str or None
        I names; ``None`` for one series, which has none.
    timestamps : ndarray, shape (T,), or None
        Strictly rising within each instrument.
    order : ndarray of int64, shape (T,), or None
        Row of ``data`` that each row comes from; ``None`` where they lie as they came.
    """

    data: Any
    values: NDArray[np.floating]
    offsets: NDArray[np.int64]
    instruments: tuple[str, ...] | None = None
    timestamps: NDArray[Any] | None = None
    order: NDArray[np.int64] | None = None

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Rows of each instrument, (I,)."""
        return np.diff(self.offsets)

    def parts(self) -> list[NDArray[np.floating]]:
        """Return the rows of each instrument, views."""
        return [self.values[a:b] for a, b in pairwise(self.offsets.tolist())]

    def scaled(self, scaling: InstrumentScaling | None) -> Panel:
        """Return the same with each instrument's rows in common units; a lone series has none."""
        if scaling is None or self.instruments is None:
            return self
        values = scaling.apply_each(self.values, self.instruments, self.offsets)
        return replace(self, values=values)

    def ends(self, rows: int) -> NDArray[np.int64]:
        """Return the last row of every window of ``rows`` rows, (N,); none crosses instruments."""
        spans = pairwise(self.offsets.tolist())
        return np.concatenate([np.arange(min(a + rows - 1, b), b) for a, b in spans])

    def boundaries(self, rows: int) -> NDArray[np.int64]:
        """Return the number of each instrument's first window, and N: (I + 1,)."""
        return np.concatenate([[0], np.cumsum(np.maximum(self.lengths - rows + 1, 0))])

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
        values = self.in_given_order(values)
        if isinstance(self.data, Mapping):
            spans = pairwise(self.offsets.tolist())
            return {
                name: like_frame(one, values[a:b], names, missing=missing)
                if is_frame(one)
                else values[a:b]
                for (name, one), (a, b) in zip(self.data.items(), spans, strict=True)
            }
        return (
            like_frame(self.data, values, names, missing=missing) if is_frame(self.data) else values
        )

    def in_given_order(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return a result of every row, (T, ...), in the order of the rows of the data."""
        if self.order is None:
            return values
        back = np.empty_like(values)
        back[self.order] = values
        return back

    def give_rows(self, values: NDArray[Any], rows: NDArray[np.int64], names: Sequence[str]) -> Any:
        """Return a result of some rows in the kind of the data, a frame's under those rows.

        Parameters
        ----------
        values : ndarray, shape (N, C)
        rows : ndarray of int64, shape (N,)
            Rising.
        names : sequence of str
        """
        places = rows if self.order is None else self.order[rows]
        if isinstance(self.data, Mapping):
            cuts = np.searchsorted(rows, self.offsets).tolist()
            return {
                name: _at_rows(one, values[a:b], places[a:b] - first, names)
                for (name, one), (a, b), first in zip(
                    self.data.items(), pairwise(cuts), self.offsets.tolist(), strict=False
                )
            }
        return _at_rows(self.data, values, places, names)


def _at_rows(data: Any, values: NDArray[Any], rows: NDArray[np.int64], names: Sequence[str]) -> Any:
    """Return values (N, C), of a frame as a frame with the index of its rows (N,)."""
    if not is_frame(data):
        return values
    if (np.diff(rows) < 0).all():  # newest first
        rows, values = rows[::-1], values[::-1]
    return like_frame(native_of(data)[rows].to_native(), values, names, missing=-1)


def as_panel(
    data: Any, schema: Schema, *, by: str | None = None, time: TimeOptions = FOUND
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
    time : TimeOptions
        Of frames.

    Returns
    -------
    Panel
        Of a long frame with the instruments in rising order of their names.

    Raises
    ------
    DataError
        As for :func:`~regimetry.series.series.as_series`, with the instrument named.
    """
    data = plain(data)
    if isinstance(data, Mapping):
        return _from_mapping(data, schema, time)
    if by is not None and is_frame(data) and by in columns_of(data):
        return _from_long(data, schema, by, time)
    series = as_series(data, schema, time)
    rows = len(series.values)
    order = np.arange(rows)[::-1] if series.newest_first else None
    return Panel(data, series.values, np.array([0, rows]), None, series.timestamps, order)


def _from_mapping(data: Mapping[Any, Any], schema: Schema, time: TimeOptions) -> Panel:
    if not data:
        raise DataError("There is no instrument in the mapping; give at least one.")
    found = []
    for name, one in data.items():
        with _naming(str(name)):
            found.append(as_series(one, schema, time))
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
    require_finite(values, schema.feature_names, found.times)
    found.warn()
    turned = np.arange(len(values))[:: -1 if found.newest_first else 1]
    order = turned[np.argsort(codes[turned], kind="stable")]
    return Panel(
        frame,
        values[order],
        np.concatenate([[0], np.cumsum(counts)]),
        tuple(instruments.tolist()),
        None if found.times is None else found.times[order],
        order,
    )


@contextmanager
def _naming(instrument: str) -> Iterator[None]:
    """Let an error say which instrument it is about."""
    try:
        yield
    except DataError as error:
        raise DataError(f"Instrument {instrument!r}: {error}") from error
