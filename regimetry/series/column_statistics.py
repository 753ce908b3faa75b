"""Statistics of the columns of a series: near a unit root, moving in proportion, how spread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.series.levels import sits_on_levels
from regimetry.series.preprocessing import Transform, rows_before, transformed
from regimetry.series.spans import segment_offsets, starts_of

SMOOTH_STEPS, TURNED_BACK = 0.5, 0.65
"""Unless it is a smooth cycle: the AR(1) coefficient of its steps is above the one, and its
autocorrelation over :func:`turning_bars` below the other. A random walk has about 0 and .9."""

_WANDERS = 0.95  # AR(1) coefficient below which nothing looks like a unit root
_LATER = "level after the first row"
_TOO_CLOSE = 0.1  # relative; closer than this, nearness to 0 decides
_NEAR_ZERO = 0.25  # of what a random walk of the same steps covers in as many bars


def ar1_coefficient(
    values: NDArray[np.float64], offsets: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Return the AR(1) coefficient of each column by least squares on centred values.

    Parameters
    ----------
    values : ndarray of float64, shape (T, F)
    offsets : ndarray of int64, shape (S + 1,), or None
        Where segments begin, and T: rows of two of them do not follow each other.

    Returns
    -------
    ndarray of float64, shape (F,)
        0 for a constant column.
    """
    centred = values - values.mean(axis=0)
    before, after = _pairs(centred, offsets, 1)
    power = np.sum(before**2, axis=0)
    coefficient: NDArray[np.float64] = np.divide(
        np.sum(before * after, axis=0), power, out=np.zeros(values.shape[1]), where=power > 0
    )
    return coefficient


def _pairs(
    values: NDArray[Any], offsets: NDArray[np.int64] | None, apart: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return rows, and the rows that come ``apart`` later in the same segment."""
    if offsets is None or len(offsets) == 2:
        return values[:-apart], values[apart:]
    first = starts_of(offsets, apart + 1)
    return values[first], values[first + apart]


def _steps(values: NDArray[Any], offsets: NDArray[np.int64] | None) -> NDArray[Any]:
    before, after = _pairs(values, offsets, 1)
    apart: NDArray[Any] = after - before
    return apart


def turning_bars(n_rows: int) -> int:
    """Return within how many bars a cycle turns: a fiftieth of the series, 1 to 100."""
    return min(100, max(1, n_rows // 50))


def is_smooth_cycle(
    values: NDArray[np.float64], offsets: NDArray[np.int64] | None = None
) -> NDArray[np.bool_]:
    """Say which columns go on in their direction for a while, and turn back.

    Their AR(1) coefficient is near 1 because they are sampled often, not because they wander: a
    walk's steps know nothing of each other, and a moving average of one does not turn back.

    Parameters
    ----------
    values : ndarray of float64, shape (T, F)
    offsets : ndarray of int64, shape (S + 1,), or None
        As for :func:`ar1_coefficient`.

    Returns
    -------
    ndarray of bool, shape (F,)
    """
    apart = turning_bars(len(values))
    centred = values - values.mean(axis=0)
    before, after = _pairs(centred, offsets, apart)
    if not len(before):  # no segment is as long
        return np.zeros(values.shape[1], np.bool_)
    found: NDArray[np.bool_] = np.mean(before * after, axis=0) < TURNED_BACK * np.mean(
        centred**2, axis=0
    )
    within = None if offsets is None else segment_offsets(np.maximum(np.diff(offsets) - 1, 0))
    found &= ar1_coefficient(_steps(values, offsets), within) > SMOOTH_STEPS
    return found


def moves_in_proportion(
    column: NDArray[np.float64], offsets: NDArray[np.int64] | None = None
) -> bool:
    """Return whether changes of a column (T,) are better told in logarithms than as they are.

    Of the two the one under which the column is likelier, its changes having a Laplace
    distribution (Box, Cox 1964 with powers 0 and 1). Where a positive column does not vary enough
    to tell, logarithms, unless it came so near 0 that a random walk of its steps would reach it: a
    level that is positive by chance need not stay so.
    """
    if not np.all(column > 0):
        return False
    logs = np.log(column)
    relative = np.abs(_steps(logs, offsets)).mean() * np.exp(logs.mean())
    ratio = relative / np.abs(_steps(column, offsets)).mean()
    if abs(ratio - 1.0) > _TOO_CLOSE:
        return bool(ratio < 1.0)
    return bool(column.min() > _NEAR_ZERO * _steps(column, offsets).std() * np.sqrt(len(column)))


def is_constant(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return which columns of a series (T, F), T at least 1, are of all but rounding one value."""
    # Of such a column float32, which the model file computes in, would keep next to nothing.
    return np.asarray(np.ptp(values, axis=0) <= 1e-6 * np.abs(values).max(axis=0))


@dataclass(frozen=True)
class ColumnStatistics:
    """Statistics of the columns of one series: all that choice and scale depend on.

    Attributes
    ----------
    rows : int
        T.
    coefficient : ndarray of float64, shape (F,)
        AR(1); see :func:`ar1_coefficient`.
    proportional : ndarray of bool, shape (F,)
        See :func:`moves_in_proportion`.
    cycle : ndarray of bool, shape (F,)
        See :func:`is_smooth_cycle`.
    on_levels : ndarray of bool, shape (F,)
        Of columns whose coefficient may be that of a walk: see
        :func:`~regimetry.series.levels.sits_on_levels`.
    positive, constant : ndarray of bool, shape (F,)
        Throughout; of all but rounding the same value.
    mean_logarithm : ndarray of float64, shape (F,)
        0 where a column is not positive.
    mean, variance : dict of str to ndarray of float64, shape (F,)
        Of the columns by each transform, in float32, as the model file will see them; NaN of a
        logarithm that there is none of.
    still : dict of str to ndarray of bool, shape (F,)
        Columns that are constant once transformed.
    """

    rows: int
    coefficient: NDArray[np.float64]
    proportional: NDArray[np.bool_]
    cycle: NDArray[np.bool_]
    on_levels: NDArray[np.bool_]
    positive: NDArray[np.bool_]
    constant: NDArray[np.bool_]
    mean_logarithm: NDArray[np.float64]
    mean: dict[str, NDArray[np.float64]]
    variance: dict[str, NDArray[np.float64]]
    still: dict[str, NDArray[np.bool_]]

    @classmethod
    def of(
        cls, values: NDArray[np.floating], offsets: NDArray[np.int64] | None = None
    ) -> ColumnStatistics:
        """Measure a series (T, F), in segments (S + 1,); without two rows it is constant."""
        wide = np.asarray(values, dtype=np.float64)
        if len(wide) < 2 or (offsets is not None and np.diff(offsets).max() < 2):
            wide, offsets = np.ones((2, wide.shape[1])), None
        narrow, n_columns = wide.astype(np.float32), wide.shape[1]
        positive = np.all(wide > 0, axis=0)
        constant = is_constant(wide)
        coefficient = ar1_coefficient(wide, offsets)
        usable = np.where(positive, narrow, np.float32(1))

        def by(kind: Transform, rows: NDArray[np.float32]) -> NDArray[np.float32]:
            bounds = [0, len(rows)] if offsets is None else offsets.tolist()
            return np.concatenate(
                [transformed(rows[a:b], [kind] * n_columns) for a, b in pairwise(bounds)]
            )

        seen: dict[str, NDArray[Any]] = {
            "level": narrow,
            _LATER: _pairs(narrow, offsets, 1)[1],
            "difference": by("difference", narrow),
            "log_difference": by("log_difference", usable),
        }
        measured = {}
        for kind, columns in seen.items():
            moved = columns.astype(np.float64)
            measured[kind] = moved.mean(axis=0), moved.var(axis=0), is_constant(moved)
        return cls(
            rows=len(values),
            coefficient=coefficient,
            proportional=np.array(
                [
                    not flat and moves_in_proportion(x, offsets)
                    for x, flat in zip(wide.T, constant, strict=True)
                ]
            ),
            cycle=is_smooth_cycle(wide, offsets),
            on_levels=np.array(
                [
                    not flat and rho > _WANDERS and sits_on_levels(x)
                    for x, flat, rho in zip(wide.T, constant, coefficient, strict=True)
                ]
            ),
            positive=positive,
            constant=constant,
            mean_logarithm=np.log(np.where(positive, wide, 1.0)).mean(axis=0),
            mean={kind: mean for kind, (mean, _, _) in measured.items()},
            variance={kind: variance for kind, (_, variance, _) in measured.items()},
            still={kind: still for kind, (_, _, still) in measured.items()},
        )

    def taken(self, transforms: Sequence[str], name: str) -> NDArray[Any]:
        """Return ``mean``, ``variance`` or ``still`` by the transform of each column, (F,)."""
        table = getattr(self, name)
        # Where any column is differenced, the model sees no column's first row.
        level = _LATER if rows_before(transforms) else "level"
        kinds = [level if transform == "level" else transform for transform in transforms]
        return np.array([table[kind][i] for i, kind in enumerate(kinds)])
