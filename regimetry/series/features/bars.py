"""Bars: which columns hold open, high, low, close and volume, and what a bar must satisfy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError

_FIELDS = {
    "open": "open",
    "high": "high",
    "low": "low",
    "close": "close",
    "adjclose": "adjusted_close",
    "adjustedclose": "adjusted_close",
    "volume": "volume",
}
"""What a column is by its name in lower case, letters alone."""

_ROUNDING = 1e-6
"""Of a price: adjusted prices and files in float32 leave a close that far above its high."""


@dataclass(frozen=True)
class BarColumns:
    """The name of each column of a bar.

    Attributes
    ----------
    open, high, low, close : str
    adjusted_close : str or None
        The close corrected for splits and dividends. Where there is one, returns are taken of it.
    volume : str or None
    """

    open: str
    high: str
    low: str
    close: str
    adjusted_close: str | None = None
    volume: str | None = None

    @classmethod
    def find(cls, names: Iterable[str]) -> BarColumns:
        """Find the columns by their names, in any case; "Adj Close" and "adj_close" are one.

        Raises
        ------
        DataError
            A column other than volume and adjusted close is missing, or two could be the one.
        """
        present = [str(name) for name in names]
        found: dict[str, str] = {}
        for name in present:
            field = _FIELDS.get("".join(filter(str.isalpha, name.lower())))
            if field is None:
                continue
            if field in found:
                raise DataError(
                    f"Columns {found[field]!r} and {name!r} could both be the "
                    f"{field.replace('_', ' ')}; leave one out."
                )
            found[field] = name
        missing = [field for field in ("open", "high", "low", "close") if field not in found]
        if missing:
            raise DataError(
                f"There is no column named {' or '.join(map(repr, missing))} (in any case); "
                "features of bars need open, high, low and close, and take volume where it is "
                f"there. The columns are {', '.join(present)}."
            )
        return cls(**found)

    @property
    def names(self) -> tuple[str, ...]:
        """The C columns that are there, in the order in which arrays of bars hold them."""
        return tuple(name for name in vars(self).values() if name is not None)

    def position(self, field: str) -> int:
        """Return where arrays of bars hold a field, such as ``"volume"``."""
        return self.names.index(getattr(self, field))


def first_fault(bars: NDArray[np.float64], columns: BarColumns) -> tuple[int, str] | None:
    """Return what is wrong with the first bar that is no bar.

    Parameters
    ----------
    bars : ndarray of float64, shape (T, C)
        In the order of ``columns.names``.
    columns : BarColumns

    Returns
    -------
    (row, clause) or None
        The clause names column, value and remedy, and begins with "column".
    """
    finite = np.isfinite(bars)
    volume = None if columns.volume is None else columns.position("volume")
    prices = bars if volume is None else np.delete(bars, volume, axis=1)
    if finite.all() and (bars > 0).all():
        return _outside_its_range(prices, columns)
    if not finite.all():
        row, column = (int(i) for i in np.argwhere(~finite)[0])
        return row, (
            f"column {columns.names[column]!r} holds {bars[row, column]}; every value of a bar "
            "must be a finite number. Fill the gap or leave the bar out."
        )
    if not (prices > 0).all():
        row, column = (int(i) for i in np.argwhere(prices <= 0)[0])
        return row, (
            f"column {columns.names[column]!r} holds {prices[row, column]:g}; a price must be "
            "positive, since features take its logarithm. Mend the bar or leave it out."
        )
    assert volume is not None
    row = int(np.argmax(bars[:, volume] <= 0))
    return row, (
        f"column {columns.volume!r} holds {bars[row, volume]:g}; the volume must be positive, "
        "since its feature takes the logarithm. Leave the bar or the whole column out."
    )


def _outside_its_range(prices: NDArray[np.float64], columns: BarColumns) -> tuple[int, str] | None:
    high, low = prices[:, 1], prices[:, 2]
    for position, field, limit, bad, side in (
        (1, "high", low, high < low, "below the low"),
        (0, "open", high, prices[:, 0] > high * (1 + _ROUNDING), "above the high"),
        (0, "open", low, prices[:, 0] < low * (1 - _ROUNDING), "below the low"),
        (3, "close", high, prices[:, 3] > high * (1 + _ROUNDING), "above the high"),
        (3, "close", low, prices[:, 3] < low * (1 - _ROUNDING), "below the low"),
    ):
        if bad.any():
            row = int(np.argmax(bad))
            return row, (
                f"column {getattr(columns, field)!r} holds {prices[row, position]:.10g}, {side} "
                f"{limit[row]:.10g} of the same bar. Mend the bar or leave it out."
            )
    return None
