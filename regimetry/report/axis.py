"""What stands under a figure: times, numbers, or the bars' own numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.contract.wording import UNIT

_MS_PER_DAY = 86_400_000.0


@dataclass(frozen=True)
class TimeAxis:
    """Where each of T bars lies.

    Attributes
    ----------
    values : ndarray of float64, shape (T,)
        Milliseconds since 1970 where ``dated``, as plotly counts; numbers otherwise.
    dated : bool
    name : str
    """

    values: NDArray[np.float64]
    dated: bool
    name: str

    @classmethod
    def of(cls, index: NDArray[Any], name: str | None) -> TimeAxis:
        """Read a table's index: times, or numbers, which are the bars' own without a name."""
        array = np.asarray(index)
        if array.dtype.kind == "M":
            times = array.astype("datetime64[us]").astype(np.int64) / 1000.0
            return cls(times, True, name or "time")
        return cls(array.astype(np.float64), False, name or UNIT)

    @property
    def times(self) -> NDArray[np.datetime64] | None:
        """The bars' times to the microsecond, where they have dates; (T,)."""
        if not self.dated:
            return None
        return np.round(self.values * 1000).astype(np.int64).astype("datetime64[us]")

    @property
    def matplotlib(self) -> NDArray[np.float64]:
        """Places as matplotlib counts: in days since 1970 where dated."""
        return self.values / _MS_PER_DAY if self.dated else self.values

    def text(self, bar: int) -> str:
        """Return a bar's place as text, without a midnight."""
        value = self.values[bar]
        if not self.dated:
            return f"{value:g}" if value % 1 else str(int(value))
        time = np.datetime64(round(value * 1000), "us")
        return str(np.datetime_as_string(time, unit="auto")).replace("T", " ")

    def where(self, text: str | None) -> float | None:
        """Return the place that a text names; None where it names none of this axis's kind."""
        if text is None:
            return None
        try:
            if self.dated:
                return float(np.datetime64(text, "us").astype(np.int64)) / 1000.0
            return float(text)
        except ValueError:
            return None
