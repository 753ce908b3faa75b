"""Features of open, high, low, close and volume, computed from rows of bars.

Row t uses bar t and the ``warm_up`` bars before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.parameters import require_integer
from regimetry.series.features.bars import BarColumns, first_fault
from regimetry.series.features.formulas import (
    drawdown,
    garman_klass_volatility,
    log_return,
    momentum,
    price_range,
    realised_volatility,
    volume_zscore,
)
from regimetry.series.frames import like_frame, matrix_of, native_of
from regimetry.series.matrix import as_matrix
from regimetry.series.plain_frames import plain
from regimetry.series.schema import Schema
from regimetry.series.time_column import find_time
from regimetry.series.time_options import FOUND, TimeOptions

DEFAULT_WINDOW = 5
"""Of 5, 10, 20 and 40 bars the best on bars of known regimes (``benchmarks/features.py``)."""


@dataclass(frozen=True)
class OhlcvFeatures:
    """Which features are computed from which columns: the recipe that a model file keeps.

    Attributes
    ----------
    columns : BarColumns
    window : int, default 5
        n, bars of the features that look back. At least 2.
    kind : "ohlcv"
        What ``--features`` and a model file call them.

    Raises
    ------
    ConfigError
        ``window`` is no whole number or below 2.

    Examples
    --------
    >>> import numpy as np
    >>> features = OhlcvFeatures(BarColumns("open", "high", "low", "close"), window=2)
    >>> bars = np.array([[10.0, 11, 9, 10], [10, 12, 10, 11], [11, 12, 10, 10]])
    >>> features.names[:4]
    ('log_return', 'realised_volatility', 'garman_klass_volatility', 'range')
    >>> features.array(bars).round(3).tolist()
    [[-0.095, 0.095, 0.115, 0.182, 0.0, -0.091]]
    """

    columns: BarColumns
    window: int = DEFAULT_WINDOW
    kind: Literal["ohlcv"] = "ohlcv"

    def __post_init__(self) -> None:
        require_integer("window", self.window, 2)

    @classmethod
    def find(cls, frame: Any, *, window: int = DEFAULT_WINDOW) -> OhlcvFeatures:
        """Take the columns of a frame by their names; see :meth:`BarColumns.find`."""
        return cls(BarColumns.find(native_of(plain(frame)).columns), window)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the F features; without a volume column there is no ``volume_zscore``."""
        volume = () if self.columns.volume is None else ("volume_zscore",)
        return (
            "log_return",
            "realised_volatility",
            "garman_klass_volatility",
            "range",
            *volume,
            "momentum",
            "drawdown",
        )

    @property
    def schema(self) -> Schema:
        """The C columns of a bar, as a model reads them."""
        return Schema.numeric(self.columns.names)

    @property
    def warm_up(self) -> int:
        """Bars before the first one that has all features: n."""
        return self.window

    def array(self, bars: NDArray[np.floating]) -> NDArray[np.float64]:
        """Make the features of an array.

        Parameters
        ----------
        bars : array of float, shape (T, C)
            Columns in the order of ``columns.names``.

        Returns
        -------
        ndarray of float64, shape (T - warm_up, F)
            Row i belongs to bar ``i + warm_up``, and uses that bar and the ``warm_up`` before it.

        Raises
        ------
        DataError
            Too few bars, columns of the wrong number, or a bar that is no bar: a value that is
            not finite, a price or a volume that is not positive, a high below the low, an open or
            close outside of them. Row and column are named.
        """
        values = as_matrix(bars).astype(np.float64, copy=False)
        names = self.columns.names
        if values.shape[1] != len(names):
            raise DataError(
                f"The bars have {values.shape[1]} columns; the features are made of {len(names)}: "
                f"{', '.join(names)}."
            )
        return self._checked(values, None)

    def frame(self, frame: Any, time: TimeOptions = FOUND) -> Any:
        """Make the features of a frame.

        Parameters
        ----------
        frame : pandas or polars DataFrame
            Further columns are left out, except the one that holds the time.
        time : TimeOptions
            What is known of its times.

        Returns
        -------
        DataFrame of the same kind, T - warm_up rows
            With the index, or the time column, of the bars that the rows belong to.

        Raises
        ------
        DataError
            As for :meth:`array`; a column is missing; timestamps fall or repeat.
        """
        frame = plain(frame)
        found = find_time(frame, options=time, besides=self.schema.names)
        found.warn()
        turn = -1 if found.newest_first else 1
        times = None if found.times is None else found.times[::turn]
        values = self._checked(matrix_of(frame, self.schema)[::turn], times)[::turn]
        native = native_of(frame)
        tail = native[: len(values)] if found.newest_first else native[self.warm_up :]
        made = like_frame(tail.to_native(), values, self.names, missing=-1)
        timed = [name for name in (found.name, found.clock) if name in native.columns]
        if not timed:
            return made
        return native_of(made).select(*(tail[name] for name in timed), *self.names).to_native()

    def require_bars(
        self, bars: NDArray[np.floating], timestamps: NDArray[Any] | None = None, of: str = ""
    ) -> None:
        """Raise :class:`DataError` naming the first of the bars (T, C) that is no bar."""
        fault = first_fault(np.asarray(bars, dtype=np.float64), self.columns)
        if fault is not None:
            row, clause = fault
            when = "" if timestamps is None else f" ({timestamps[row]})"
            raise DataError(f"{of}Row {row}{when}, {clause}")

    def each(
        self, bars: NDArray[np.floating], offsets: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Make the features of sound bars of several series, one after the other.

        Parameters
        ----------
        bars : ndarray of float, shape (T, C)
        offsets : ndarray of int64, shape (I + 1,)
            First bar of each series, and T.

        Returns
        -------
        features : ndarray of float64
            Of each series ``warm_up`` rows fewer than it has bars, or none.
        offsets : ndarray of int64, shape (I + 1,)
            Their boundaries.
        """
        made = [self.made(bars[a:b]) for a, b in pairwise(offsets.tolist())]
        bounds = np.cumsum([0, *map(len, made)])
        return np.concatenate([np.empty((0, len(self.names))), *made]), bounds

    def made(self, bars: NDArray[np.floating]) -> NDArray[np.float64]:
        """Make the features of sound bars (T, ..., C), (T - warm_up, ..., F): none if T is less."""
        n, columns = self.window, self.columns
        if len(bars) <= n:
            return np.empty((0, *bars.shape[1:-1], len(self.names)))
        sound = [
            np.ascontiguousarray(bars[..., i], dtype=np.float64) for i in range(bars.shape[-1])
        ]
        opening, high, low, close = sound[:4]
        price = (
            close if columns.adjusted_close is None else sound[columns.position("adjusted_close")]
        )
        made = {
            "log_return": log_return(price),
            "realised_volatility": realised_volatility(price, n),
            "garman_klass_volatility": garman_klass_volatility(opening, high, low, close, n),
            "range": price_range(high, low),
            "momentum": momentum(price, n),
            "drawdown": drawdown(price, n),
        }
        if columns.volume is not None:
            made["volume_zscore"] = volume_zscore(sound[columns.position("volume")], n)
        rows = len(bars) - self.warm_up
        return np.stack([made[name][-rows:] for name in self.names], axis=-1)

    def _checked(
        self, bars: NDArray[np.float64], timestamps: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        self.require_bars(bars, timestamps)
        if len(bars) <= self.warm_up:
            raise DataError(
                f"{len(bars)} bars are too few for features over {self.window}; at least "
                f"{self.warm_up + 1} are needed. Give more bars or a smaller window."
            )
        return self.made(bars)


def ohlcv(frame: Any, *, window: int = DEFAULT_WINDOW) -> Any:
    """Make the features of a frame whose columns are found by name.

    Parameters
    ----------
    frame : pandas or polars DataFrame
        Columns open, high, low, close, and volume and adj close where they are there, in any case.
    window : int, default 5
        n, bars of the features that look back.

    Returns
    -------
    DataFrame of the same kind, T - window rows
        Row t uses bars up to t.

    Raises
    ------
    DataError
        As for :meth:`OhlcvFeatures.frame`.
    """
    return OhlcvFeatures.find(frame, window=window).frame(frame)
