"""The rows of a walk: one instrument after the other, each in rising time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Bools, Floats
from regimetry.analysis.performance import simple_returns
from regimetry.analysis.price import find_price
from regimetry.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Bars:
    """T rows.

    Attributes
    ----------
    frame : pandas.DataFrame
        What a fit reads, times as the index; with ``by``, a column that names the instrument.
    by : str or None
    price_name : str
    returns : ndarray of float64, shape (T,)
        Simple return of the price; NaN for the first row of an instrument.
    time : ndarray of int64, shape (T,)
        Number of the row's time among the times of all instruments.
    instrument : ndarray of int64, shape (T,)
        Number of the row's instrument; rising.
    row : ndarray of int64, shape (T,)
        Number of the row in the whole walk.
    """

    frame: pd.DataFrame
    by: str | None
    price_name: str
    returns: Floats
    time: NDArray[np.int64]
    instrument: NDArray[np.int64]
    row: NDArray[np.int64]

    @classmethod
    def of(cls, frame: pd.DataFrame, price: Any, by: str | None) -> Bars:
        """Read a frame; parameters as for :func:`walk_forward`.

        Raises
        ------
        DataError
            It is no pandas frame, ``by`` or the price is missing, or a price is not positive.
        """
        if not (hasattr(frame, "iloc") and hasattr(frame, "columns")):
            raise DataError(
                f"The rows are of type {type(frame).__name__}; a pandas DataFrame is needed. Make "
                "one, with the times as its index."
            )
        if by is not None and by not in frame.columns:
            raise DataError(
                f"by is {by!r}; the columns are {', '.join(map(str, frame.columns))}. Name one."
            )
        name, values = _price_of(frame, price)
        names = np.zeros(len(frame), np.int64)
        if by is not None:
            names = np.unique(frame[by].astype(str).to_numpy(), return_inverse=True)[1]
        order = np.argsort(names, kind="stable")
        instrument = names[order].astype(np.int64)
        frame, values = frame.iloc[order], values[order]
        first = np.diff(instrument, prepend=-1) > 0
        returns, rows = simple_returns(values, first), np.arange(len(frame))
        return cls(frame, by, name, returns, _times(frame, first), instrument, rows)

    @property
    def log_returns(self) -> Floats:
        """Log return of the price, (T,); NaN for the first row of an instrument."""
        return np.log1p(self.returns)

    @property
    def n_times(self) -> int:
        """Number of times."""
        return int(self.time.max(initial=-1)) + 1

    def within(self, begin: int, end: int) -> Bars:
        """Return the rows whose times have the numbers ``begin`` to ``end - 1``."""
        mine = (self.time >= begin) & (self.time < end)
        arrays = {n: getattr(self, n)[mine] for n in ("returns", "time", "instrument", "row")}
        return replace(self, frame=self.frame[mine], **arrays)

    def earlier(self, values: NDArray[Any], bars: int = 1) -> NDArray[np.float64]:
        """Return what stood ``bars`` rows before in the same instrument; NaN where nothing did."""
        late = np.full(values.shape, np.nan)
        late[bars:] = values[: len(values) - bars]
        late[bars:][self.instrument[bars:] != self.instrument[: len(values) - bars]] = np.nan
        return late

    def next_returns(self) -> Floats:
        """Return the simple return of the instrument's next row, (T,); NaN for its last."""
        later = np.append(self.returns[1:], np.nan)
        later[np.diff(self.instrument, append=-1) != 0] = np.nan
        return later

    def labels(self) -> Any:
        """Return what stands for each row in a result: its time, or the number of its time."""
        return self.frame.index if _has_times(self.frame) else self.time

    def first_rows(self) -> Bools:
        """Return where an instrument begins, (T,)."""
        return np.diff(self.instrument, prepend=-1) > 0


def _price_of(frame: pd.DataFrame, price: Any) -> tuple[str, Floats]:
    if price is None or isinstance(price, str):
        name = find_price({str(c): frame[c].to_numpy() for c in frame.columns}, price)
        return name, frame[name].to_numpy(dtype=np.float64)
    values = np.asarray(price, dtype=np.float64)
    if values.shape != (len(frame),):
        raise DataError(
            f"The prices have shape {values.shape} and there are {len(frame)} rows; give one price "
            "a row."
        )
    return str(getattr(price, "name", None) or "price"), values


def _has_times(frame: pd.DataFrame) -> bool:
    return type(frame.index).__name__ != "RangeIndex" and frame.index.dtype.kind in "Miuf"


def _times(frame: pd.DataFrame, first: Bools) -> NDArray[np.int64]:
    """Return the number of each row's time, or of the row in its instrument without times."""
    if _has_times(frame):
        return np.unique(frame.index.to_numpy(), return_inverse=True)[1].astype(np.int64)
    rows = np.arange(len(frame))
    return rows - rows[first][np.cumsum(first) - 1]
