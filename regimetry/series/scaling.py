"""Per-instrument scaling, which makes the columns of instruments comparable.

A column that is twice as high, or moves twice as much, in one instrument as in the next would tell
instruments apart, not regimes. So the rows of each instrument are first brought to common units.
The model then reads all of them in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Scaling = Literal["instrument", "pooled"]
"""Each instrument by its own statistics, or all by those of all rows together."""


@dataclass(frozen=True, eq=False)
class InstrumentScaling:
    """An affine map for each instrument and column, of logarithms where those are differenced.

    ``factor * x + offset``, or ``exp(factor * log(x) + offset)`` for a column whose transform is
    ``log_difference``. An instrument that is not listed is read without scaling: as if its columns
    had the mean and deviation of the average instrument, to which the others are brought.

    Attributes
    ----------
    transforms : tuple of str
        Of the F features, as in the contract.
    instruments : tuple of str
        I names.
    factor, offset : ndarray of float64, shape (I, F)
    """

    transforms: tuple[str, ...]
    instruments: tuple[str, ...]
    factor: NDArray[np.float64]
    offset: NDArray[np.float64]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InstrumentScaling) and (
            (self.transforms, self.to_dict()) == (other.transforms, other.to_dict())
        )

    def __hash__(self) -> int:
        return hash((self.transforms, self.instruments))

    @cached_property
    def _place(self) -> dict[str, int]:
        return {name: place for place, name in enumerate(self.instruments)}

    @cached_property
    def _logs(self) -> NDArray[np.intp]:
        return np.flatnonzero([transform == "log_difference" for transform in self.transforms])

    def apply(self, values: NDArray[np.floating], instrument: str) -> NDArray[np.floating]:
        """Bring rows to common units.

        Parameters
        ----------
        values : ndarray of float, shape (..., F)
            Rows of one instrument; positive where a logarithm is taken.
        instrument : str

        Returns
        -------
        ndarray of float64, shape (..., F)
            Row i uses row i alone. ``values`` itself for an instrument that is not listed.
        """
        place = self._place.get(instrument)
        if place is None:
            return values
        return self.mapped(values, self.factor[place], self.offset[place])

    def apply_each(
        self,
        values: NDArray[np.floating],
        instruments: Sequence[str],
        offsets: NDArray[np.int64],
    ) -> NDArray[np.floating]:
        """Apply each instrument's map to its rows; ``offsets`` (I + 1,) are their boundaries."""
        parts = zip(instruments, pairwise(offsets.tolist()), strict=True)
        return np.concatenate([self.apply(values[a:b], name) for name, (a, b) in parts])

    def mapped(
        self,
        values: NDArray[np.floating],
        factor: NDArray[np.float64],
        offset: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Apply maps to rows (..., F): one (F,) to all, or one (..., F) to each."""
        scaled: NDArray[np.float64] = values * factor + offset
        if len(self._logs):
            logs = self._logs
            powers = np.log(values[..., logs]) * factor[..., logs] + offset[..., logs]
            scaled[..., logs] = np.exp(powers)
        return scaled

    def maps_of(
        self, instruments: Sequence[str]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return factors and offsets (n, F) of instruments; 1 and 0 of those not listed."""
        places = np.array([self._place.get(name, -1) for name in instruments], dtype=np.int64)
        known = (places >= 0)[:, None]
        if not known.any():
            shape = (len(places), len(self.transforms))
            return np.ones(shape), np.zeros(shape)
        factor = np.where(known, self.factor[places], 1.0)
        return factor, np.where(known, self.offset[places], 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the maps as plain data, of as many digits as float32 holds."""
        return {
            "instruments": list(self.instruments),
            "factor": shortest(self.factor),
            "offset": shortest(self.offset),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], transforms: Sequence[str]) -> InstrumentScaling:
        """Build from :meth:`to_dict`'s data."""
        shape = (len(data["instruments"]), len(transforms))
        factor, offset = (
            np.asarray(data[name], dtype=np.float64).reshape(shape) for name in ("factor", "offset")
        )
        return cls(tuple(transforms), tuple(map(str, data["instruments"])), factor, offset)

    def rounded(self) -> InstrumentScaling:
        """Return what :meth:`from_dict` would read back, which the fit must use as well."""
        return self.from_dict(self.to_dict(), self.transforms)


def shortest(values: NDArray[np.floating]) -> Any:
    """Return nested lists whose text is the shortest that reads back as the same float32."""
    return values.astype(np.float32).astype(str).astype(np.float64).tolist()
