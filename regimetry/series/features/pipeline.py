"""Features of open, high, low, close and volume, of a batch and of a stream of bars.

Row t uses bar t and the ``warm_up`` bars before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

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
from regimetry.series.frames import like_frame, time_of, values_of
from regimetry.series.schema import Schema
from regimetry.series.series import as_matrix, require_rising

KIND: Final = "ohlcv"
"""What ``--features`` and a model file call these features."""

DEFAULT_WINDOW = 5
"""Of 5, 10, 20 and 40 bars the best on bars of known regimes (``benchmarks/features.py``)."""


@dataclass(frozen=True)
class OhlcvFeatures:
    """Which features are made of which columns: the recipe that a model file keeps.

    Attributes
    ----------
    columns : BarColumns
    window : int, default 5
        n, bars of the features that look back. At least 2.
    kind : "ohlcv"
        What a model file calls them.

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
    kind: Literal["ohlcv"] = KIND

    def __post_init__(self) -> None:
        require_integer("window", self.window, 2)

    @classmethod
    def find(cls, frame: Any, *, window: int = DEFAULT_WINDOW) -> OhlcvFeatures:
        """Take the columns of a frame by their names; see :meth:`BarColumns.find`."""
        return cls(BarColumns.find(frame.columns), window)

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
        self._require_columns(values.shape[1])
        return self._checked(values, None)

    def frame(self, frame: Any) -> Any:
        """Make the features of a frame.

        Parameters
        ----------
        frame : pandas or polars DataFrame
            Further columns are left out, except the one that holds the time.

        Returns
        -------
        DataFrame of the same kind, T - warm_up rows
            With the index, or the time column, of the bars that the rows belong to.

        Raises
        ------
        DataError
            As for :meth:`array`; a column is missing; timestamps fall or repeat.
        """
        import narwhals as nw

        time_name, timestamps = time_of(frame)
        if timestamps is not None:
            require_rising(timestamps)
        values = self._checked(values_of(frame, Schema.numeric(self.columns.names)), timestamps)
        tail = nw.from_native(frame, eager_only=True)[self.warm_up :]
        made = like_frame(tail.to_native(), values, self.names, missing=-1)
        if time_name is None:
            return made
        times = tail[time_name]
        return nw.from_native(made, eager_only=True).select(times, nw.all()).to_native()

    def stream(self) -> OhlcvStream:
        """Start a live series, in which bars come one at a time."""
        return OhlcvStream(self)

    def _checked(
        self, bars: NDArray[np.float64], timestamps: NDArray[Any] | None
    ) -> NDArray[np.float64]:
        fault = first_fault(bars, self.columns)
        if fault is not None:
            row, clause = fault
            when = "" if timestamps is None else f" ({timestamps[row]})"
            raise DataError(f"Row {row}{when}, {clause}")
        if len(bars) <= self.warm_up:
            raise DataError(
                f"{len(bars)} bars are too few for features over {self.window}; at least "
                f"{self.warm_up + 1} are needed. Give more bars or a smaller window."
            )
        return self._make(bars)

    def _make(self, bars: NDArray[np.float64]) -> NDArray[np.float64]:
        """Make the features of sound bars (T, C), more than ``warm_up``."""
        n, columns = self.window, self.columns
        opening, high, low, close = (np.ascontiguousarray(bars[:, i]) for i in range(4))
        price = close
        if columns.adjusted_close is not None:
            price = np.ascontiguousarray(bars[:, columns.position("adjusted_close")])
        made = {
            "log_return": log_return(price),
            "realised_volatility": realised_volatility(price, n),
            "garman_klass_volatility": garman_klass_volatility(opening, high, low, close, n),
            "range": price_range(high, low),
            "momentum": momentum(price, n),
            "drawdown": drawdown(price, n),
        }
        if columns.volume is not None:
            volume = np.ascontiguousarray(bars[:, columns.position("volume")])
            made["volume_zscore"] = volume_zscore(volume, n)
        rows = len(bars) - self.warm_up
        return np.stack([made[name][-rows:] for name in self.names], axis=1)

    def _require_columns(self, found: int) -> None:
        names = self.columns.names
        if found != len(names):
            raise DataError(
                f"The bars have {found} columns; the features are made of {len(names)}: "
                f"{', '.join(names)}."
            )


class OhlcvStream:
    """The features of a live series; made by :meth:`OhlcvFeatures.stream`.

    After every bar it gives what the batch gives of all bars so far. It keeps the last
    ``warm_up + 1`` bars, which is all that a row depends on.
    """

    def __init__(self, features: OhlcvFeatures) -> None:
        self._features = features
        self._bars = np.empty((features.warm_up + 1, len(features.columns.names)))
        self._count = 0

    def reset(self) -> None:
        """Forget every bar, as if the stream were new."""
        self._count = 0

    def push(
        self, bar: Sequence[float] | NDArray[Any] | Mapping[str, Any]
    ) -> NDArray[np.float64] | None:
        """Take the bar that has just closed.

        Parameters
        ----------
        bar : sequence of C numbers, or mapping of column name to number
            In the order of ``columns.names``, or by those names.

        Returns
        -------
        ndarray of float64, shape (F,), or None
            ``None`` for the first ``warm_up`` bars.

        Raises
        ------
        DataError
            As for :meth:`OhlcvFeatures.array`. The bar is then not part of the stream.
        """
        row = self._row(bar)
        self._bars[:-1] = self._bars[1:]
        self._bars[-1] = row
        self._count = min(self._count + 1, len(self._bars))
        if self._count < len(self._bars):
            return None
        made: NDArray[np.float64] = self._features._make(self._bars)[0]
        return made

    def _row(self, bar: Sequence[float] | NDArray[Any] | Mapping[str, Any]) -> NDArray[np.float64]:
        columns = self._features.columns
        if isinstance(bar, Mapping):
            bar = Schema.numeric(columns.names).row(bar)
        try:
            row = np.asarray(bar, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise DataError(f"The bar {bar!r} holds something that is not a number.") from error
        if row.ndim != 1:
            raise DataError(f"The bar has shape {row.shape}; one row of numbers is needed.")
        self._features._require_columns(len(row))
        fault = first_fault(row[None], columns)
        if fault is not None:
            raise DataError(f"In this bar, {fault[1]}")
        return row


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
