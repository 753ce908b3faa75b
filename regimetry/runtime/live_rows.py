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

_LARGEST = float(np.finfo(np.float32).max)
_LARGEST_SQUARE = _LARGEST**2


class RowReader:
    """Reads the rows of one instrument for a model, which may be bars.

    Parameters
    ----------
    file : ModelFile
    instrument : str or None
        Whose rows come; ``None``: they are in common units.
    """

    def __init__(self, file: ModelFile, instrument: str | None) -> None:
        self._file = file
        self.names = file.schema.feature_names
        self.shape = (len(self.names),)
        self._logs = [] if file.features else log_columns(file.contract.transforms)
        self._scaling = None if instrument is None else file.contract.scaling
        self._instrument = instrument or ""

    def row(self, row: Any) -> NDArray[np.float64]:
        """Return a row (C,) of numbers, or a mapping by name, as it is to be kept.

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
        if self._file.features is not None:
            fault = first_fault(values[None], self._file.features.columns)
            if fault is not None:
                raise DataError(f"In this bar, {fault[1]}")
            return values
        if not values.dot(values) <= _LARGEST_SQUARE:  # then each is finite, and this takes no time
            self._require_finite(values)
        for column in self._logs:
            if not values.item(column) > 0:
                require_positive(values[None], self._logs, self.names)
        if self._scaling is not None:
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

    def _require_finite(self, values: NDArray[np.float64]) -> None:
        usable = np.abs(values) <= _LARGEST
        if not usable.all():
            column = int(np.argmin(usable))
            raise DataError(
                f"Column {self.names[column]!r} of the row holds "
                f"{values[column]}; every value must be finite in float32."
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

    def rows(self, ids: NDArray[np.int64], rows: ArrayLike) -> NDArray[np.floating]:
        """Return rows (B, C) of series ``ids`` as they are to be kept; raise as a push does."""
        values, names = as_matrix(rows), self._file.schema.feature_names
        if values.shape[1] != len(names):
            raise DataError(
                f"The rows have {values.shape[1]} columns; the model reads {len(names)}: "
                f"{', '.join(names)}."
            )
        require_finite(values, names)
        require_positive(values, self._logs, names)
        if self._file.features is None:
            return self._in_common_units(ids, values)
        self._file.features.require_bars(values)
        return values

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
