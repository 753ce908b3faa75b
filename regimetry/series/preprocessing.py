"""Differences, scaling and clipping of every bar, before windows are cut.

The same arithmetic stands at the head of the exported graph; here it is the twin for the fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError

Transform = Literal["level", "difference", "log_difference"]
TRANSFORMS: tuple[Transform, ...] = get_args(Transform)

CLIP_DEVIATIONS = 6.0

LOST = 0.01
"""Rounding, in standard deviations of a column, above which a fit refuses it."""

_BLOCK_ROWS = 1 << 16


def rows_before(transforms: Sequence[str]) -> int:
    """Return how many rows a transformed row needs before itself: 1 if any is differenced."""
    return int(any(transform != "level" for transform in transforms))


@dataclass(frozen=True)
class Preprocessing:
    """Per-column transform, then ``clip((x - mean) * scale, -clip, clip)``.

    Attributes
    ----------
    transforms : tuple of {"level", "difference", "log_difference"}
        Length F. ``difference`` is x_t - x_{t-1}, ``log_difference`` is log(x_t / x_{t-1}).
    mean, scale : ndarray of float32, shape (F,)
        Of the transformed columns; ``scale`` is one over the standard deviation.
    clip : float
        In standard deviations.
    """

    transforms: tuple[Transform, ...]
    mean: NDArray[np.float32]
    scale: NDArray[np.float32]
    clip: float = CLIP_DEVIATIONS

    @property
    def rows_before(self) -> int:
        """Rows that a transformed row needs before itself: 1 if any column is differenced."""
        return rows_before(self.transforms)

    @property
    def prices(self) -> tuple[bool, ...]:
        """Which columns are prices, differenced in logarithms."""
        return tuple(transform == "log_difference" for transform in self.transforms)

    def apply(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Transform, scale and clip.

        Parameters
        ----------
        values : ndarray of float, shape (T, F)

        Returns
        -------
        ndarray of float32, shape (T - rows_before, F)
            Row i knows the input rows up to ``i + rows_before``.
        """
        scaled = (self.transform(values) - self.mean) * self.scale
        return np.clip(scaled, -self.clip, self.clip, out=scaled)

    def transform(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Apply the per-column transforms alone; shapes as for :meth:`apply`."""
        return transformed(np.asarray(values, dtype=np.float32), self.transforms)


def transformed(
    values: NDArray[np.float32], transforms: Sequence[Transform]
) -> NDArray[np.float32]:
    """Return a series (T, F) with each column transformed, one row less if any is differenced."""
    if all(transform == "level" for transform in transforms):
        return values
    now, before = values[1:], values[:-1]
    kinds = np.array(transforms)
    result = np.where(kinds == "difference", now - before, now)
    logs = kinds == "log_difference"
    if logs.any():
        result[:, logs] = np.log(now[:, logs] / before[:, logs])
    return result


def require_single_precision(
    parts: Sequence[NDArray[np.floating]], transforms: Sequence[Transform], names: Sequence[str]
) -> None:
    """Raise :class:`DataError` where a column's steps are lost in float32, which the graph reads.

    Parameters
    ----------
    parts : sequence of ndarray, shape (T, F)
        Rows of each series, in common units.
    transforms : sequence of {"level", "difference", "log_difference"}
    names : sequence of str
        Of the F columns.
    """
    exact, single = (
        np.concatenate([transformed(part.astype(kind), transforms) for part in parts])
        for kind in (np.float64, np.float32)
    )
    lost = (single - exact).std(axis=0) > LOST * exact.std(axis=0)
    if lost.any():
        column = int(np.argmax(lost))
        level = max(float(np.abs(part[:, column]).max()) for part in parts)
        raise DataError(
            f"Column {names[column]!r} holds values up to {level:g} that differ by too little for "
            "32-bit numbers, which the model reads: rounding would be more than a hundredth of "
            "their spread. Subtract an offset, or give their differences."
        )


def log_columns(transforms: Sequence[str]) -> list[int]:
    """Return which columns are differenced in logarithms."""
    return [i for i, transform in enumerate(transforms) if transform == "log_difference"]


def require_positive(
    values: NDArray[np.floating], logs: Sequence[int], names: Sequence[str]
) -> None:
    """Raise :class:`DataError` where a value (T, F) of the columns ``logs`` is 0 or less."""
    for column in logs:
        # One column at a time, in blocks: a memory-mapped series may be larger than memory.
        for first in range(0, len(values), _BLOCK_ROWS):
            positive = values[first : first + _BLOCK_ROWS, column] > 0
            if not positive.all():
                raise DataError(
                    f"Row {first + int(np.argmin(positive))}, column {names[column]!r} is not "
                    "positive; the model was fitted on positive values there and takes the "
                    "logarithm of their ratio."
                )
