"""Rows of live series as they come, checked, and what the graph reads of their windows."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from decimal import Decimal
from numbers import Real
from types import NoneType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from regimetry.errors import DataError
from regimetry.runtime.given import graph_windows
from regimetry.runtime.modelfile import ModelFile
from regimetry.series.features.bars import first_fault
from regimetry.series.matrix import as_matrix, require_finite, unmasked
from regimetry.series.preprocessing import log_columns, require_positive
from regimetry.series.rules import ReadingRules
from regimetry.series.segments import refusal

_LARGEST = float(np.finfo(np.float32).max)
_LARGEST_SQUARE = _LARGEST**2
_RULE = "every value must be finite in float32."


class RowReader:
    """Reads the rows of one instrument for a model, which may be bars.

    Parameters
    ----------
    file : ModelFile
    instrument : str or None
        Whose rows come; ``None``: they are in common units.
    rules : ReadingRules
    """

    def __init__(self, file: ModelFile, instrument: str | None, rules: ReadingRules) -> None:
        self._file, self._refusal = file, refusal(rules)
        self.names = file.schema.feature_names
        self.shape = (len(self.names),)
        self._logs = [] if file.features else log_columns(file.contract.transforms)
        self._scaling = None if instrument is None else file.contract.scaling
        self._instrument = instrument or ""

    def row(self, row: Any, *, missing: bool = False) -> tuple[NDArray[np.float64], bool]:
        """Return a row (C,) of numbers, or a mapping by name, and whether it is complete.

        ``missing``: values may be missing, as NaN or None; in a mapping also by name.

        Raises
        ------
        DataError
            The row has the wrong length, lacks a column, holds a value that cannot be used, or is
            an invalid bar.
        """
        if type(row) is not np.ndarray and isinstance(row, Mapping):
            row = self._file.schema.row(row)
        try:
            values = unmasked(row)
            if values.dtype.kind not in "fiub":
                _require_numbers(values)
            values = values.astype(np.float64, copy=False)
        except (TypeError, ValueError, OverflowError) as error:
            shown = reprlib.repr(row)
            raise DataError(
                f"The row {shown} holds something that is not a number that float64 holds. Give "
                "one real number for each column; leave times and text out."
            ) from error
        if values.shape != self.shape:
            raise DataError(
                f"The row has shape {values.shape}; the model reads {self.shape[0]} numbers: "
                f"{', '.join(self.names)}."
            )
        complete = True
        if not values.dot(values) <= _LARGEST_SQUARE:  # then each is finite, and this takes no time
            if self._file.features is None or missing:
                self._require_finite(values, missing=missing)
            complete = not np.isnan(values).any()
        if self._file.features is not None:
            if complete or not missing:
                self._require_bar(values)
            return values, complete
        for column in self._logs:
            if values.item(column) <= 0:
                require_positive(values[None], [column], self.names)
        return values, complete

    @property
    def keeps_rows(self) -> bool:
        """Whether complete rows are kept as they are."""
        return self._scaling is None or self._file.features is not None

    def kept(self, values: NDArray[np.floating], *, filled: bool) -> NDArray[np.floating]:
        """Return a complete row as it is to be kept, in common units; ``filled``: by older ones."""
        if filled and self._file.features is not None:
            self._require_bar(values)
        if self._scaling is None or self._file.features is not None:
            return values
        values = self._scaling.apply(values, self._instrument).astype(np.float64, copy=False)
        self._require_finite(values)
        return values

    def window(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return what the graph reads, (R, F), of the last rows: themselves, or their features."""
        if self._file.features is None:
            return rows
        made: NDArray[np.floating] = graph_windows(self._file, rows[None])[0]
        if self._scaling is not None:
            made = self._scaling.apply(made, self._instrument)
        return made.astype(np.float32)

    def _require_bar(self, bar: NDArray[np.floating]) -> None:
        assert self._file.features is not None
        fault = first_fault(bar[None].astype(np.float64), self._file.features.columns)
        if fault is not None:
            raise DataError(f"In this bar, {fault[1]}")

    def _require_finite(self, values: NDArray[np.floating], *, missing: bool = False) -> None:
        usable = np.abs(values) <= _LARGEST
        if missing:
            usable |= np.isnan(values)
        if not usable.all():
            column = int(np.argmin(usable))
            raise DataError(
                f"Column {self.names[column]!r} of the row holds "
                f"{values[column]}; " + (self._refusal if np.isnan(values[column]) else _RULE)
            )


def _require_numbers(values: NDArray[Any]) -> None:
    """Raise TypeError unless objects are real numbers or None; numpy reads text and times too."""
    if values.dtype.kind != "O" or not all(
        isinstance(value, Real | Decimal | NoneType) for value in values.flat
    ):
        raise TypeError


class RowsReader:
    """Reads rows of many series for a model, which may be bars.

    Parameters
    ----------
    file : ModelFile
    instruments : sequence of str or None
        Whose rows each series takes; ``None``: all are in common units, as are series behind these.
    """

    def __init__(self, file: ModelFile, instruments: Sequence[str] | None) -> None:
        self._file, self._scaling = file, file.contract.scaling
        self._logs = [] if file.features else log_columns(file.contract.transforms)
        self._maps: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None
        if self._scaling is not None and instruments is not None:
            # The last map is that of a series without a name, which is read as it is.
            self._maps = self._scaling.maps_of([*instruments, ""])

    def rows(self, rows: ArrayLike) -> NDArray[np.floating]:
        """Return rows (B, C), NaN where a value is missing; raise as a push does."""
        values, names = as_matrix(rows), self._file.schema.feature_names
        if values.shape[1] != len(names):
            raise DataError(
                f"The rows have {values.shape[1]} columns; the model reads {len(names)}: "
                f"{', '.join(names)}."
            )
        require_finite(values, names, with_missing=True)
        if self._logs:
            require_positive(np.where(np.isnan(values), 1.0, values), self._logs, names)
        return values

    def kept(self, ids: NDArray[np.int64], rows: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return complete rows (B, C) of series ``ids`` as they are to be kept."""
        if self._file.features is None:
            return self._in_common_units(ids, rows)
        self._file.features.require_bars(rows)
        return rows

    def windows(self, ids: NDArray[np.int64], windows: NDArray[Any]) -> NDArray[Any]:
        """Return what the graph reads, (B, R, F), of windows of the kept rows."""
        if self._file.features is None:
            return windows
        return self._in_common_units(ids, graph_windows(self._file, windows))

    def _in_common_units(self, ids: NDArray[np.int64], values: NDArray[Any]) -> NDArray[Any]:
        if self._maps is None or self._scaling is None or len(ids) != len(values):
            return values  # ids of another number are refused a moment later
        factor, offset = (
            np.take(table, ids, axis=0, mode="clip").reshape(len(ids), *[1] * (values.ndim - 2), -1)
            for table in self._maps
        )
        return self._scaling.mapped(values, factor, offset)
