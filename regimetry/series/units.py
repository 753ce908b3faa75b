"""Common units: which columns are differenced, and the scaling to mean 0 and deviation 1."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import DataError
from regimetry.series.column_statistics import ColumnStatistics
from regimetry.series.preprocessing import Preprocessing, Transform
from regimetry.series.scaling import InstrumentScaling

UNIT_ROOT_COEFFICIENT = 0.985
"""A channel whose AR(1) coefficient exceeds this is differenced by ``difference="auto"``."""


def choose_transforms(
    statistics: Sequence[ColumnStatistics], difference: str | Sequence[str], names: Sequence[str]
) -> tuple[Transform, ...]:
    """Decide which columns are differenced.

    Columns near a unit root, such as prices, would dominate the slow directions from which regimes
    are found.

    Parameters
    ----------
    statistics : sequence of ColumnStatistics
        Of each series. Coefficients are averaged, and questions decided by majority, over rows.
    difference : {"auto", "none"} or sequence of str
        "auto" differences every column whose AR(1) coefficient exceeds
        :data:`UNIT_ROOT_COEFFICIENT` and that is no smooth cycle and does not sit on a few levels;
        a sequence names the columns. Columns that are positive throughout and move in proportion to
        their level are differenced in logarithms.
    names : sequence of str
        Column names, length F.

    Returns
    -------
    tuple of {"level", "difference", "log_difference"}
    """
    rows = [one.rows for one in statistics]
    if difference == "auto":
        chosen = near_unit_root(statistics) & ~mostly_on_levels(statistics)
    elif difference == "none":
        chosen = np.zeros(len(names), dtype=np.bool_)
    else:
        chosen = np.array([name in set(difference) for name in names])
    positive = np.all([one.positive for one in statistics], axis=0)
    shares = np.average([one.proportional for one in statistics], axis=0, weights=rows)
    logs = positive & (shares > 0.5)
    return tuple(
        ("log_difference" if log else "difference") if apart else "level"
        for apart, log in zip(chosen, logs, strict=True)
    )


def near_unit_root(statistics: Sequence[ColumnStatistics]) -> NDArray[np.bool_]:
    """Say which columns wander by their AR(1) coefficient, and are no smooth cycle, (F,)."""
    rows = [one.rows for one in statistics]
    coefficient = np.average([one.coefficient for one in statistics], axis=0, weights=rows)
    cycle = np.average([one.cycle for one in statistics], axis=0, weights=rows) > 0.5
    return np.asarray((coefficient > UNIT_ROOT_COEFFICIENT) & ~cycle)


def mostly_on_levels(statistics: Sequence[ColumnStatistics]) -> NDArray[np.bool_]:
    """Say which columns sit on a few levels in most of the rows, (F,)."""
    rows = [one.rows for one in statistics]
    share = np.average([one.on_levels for one in statistics], axis=0, weights=rows)
    return np.asarray(share > 0.5)


def fit_preprocessing(
    values: NDArray[np.floating],
    names: Sequence[str],
    difference: str | Sequence[str] = "auto",
) -> Preprocessing:
    """Choose the transforms and measure mean and deviation, on the rows given and no others.

    Parameters
    ----------
    values : ndarray of float, shape (T, F)
        Finite.
    names : sequence of str
        Column names, for messages.
    difference : {"auto", "none"} or sequence of str
        See :func:`choose_transforms`.

    Returns
    -------
    Preprocessing

    Raises
    ------
    DataError
        A column is constant, as given or once differenced.
    """
    preprocessing, _ = fit_units([ColumnStatistics.of(values)], names, difference)
    return preprocessing


def fit_units(
    statistics: Sequence[ColumnStatistics],
    names: Sequence[str],
    difference: str | Sequence[str] = "auto",
    instruments: Sequence[str] | None = None,
) -> tuple[Preprocessing, InstrumentScaling | None]:
    """Choose the transforms, common units for instruments, and the scale of all rows together.

    Parameters
    ----------
    statistics : sequence of ColumnStatistics
        Of each series, in an order that does not depend on who measured them.
    names : sequence of str
        Column names, for messages.
    difference : {"auto", "none"} or sequence of str
        See :func:`choose_transforms`.
    instruments : sequence of str or None
        Names of the series, if each is to have units of its own; ``None``: all are read as they
        are. A column that is constant in one instrument keeps its unit there.

    Returns
    -------
    Preprocessing
        Of rows in common units.
    InstrumentScaling or None

    Raises
    ------
    DataError
        A column is constant in every series, as given or once differenced.
    """
    constant = np.all([one.constant for one in statistics], axis=0)
    _require_variation(constant, names, "is constant")
    transforms = choose_transforms(statistics, difference, names)
    still = np.array([one.taken(transforms, "still") for one in statistics])
    _require_variation(np.all(still, axis=0), names, "is constant once differenced")

    rows = np.array([one.rows for one in statistics], dtype=np.float64)
    means = np.array([one.taken(transforms, "mean") for one in statistics])
    variances = np.array([one.taken(transforms, "variance") for one in statistics])
    scaling = None
    if instruments is not None:
        maps = _common_units(transforms, statistics, means, variances, still)
        scaling = InstrumentScaling(transforms, tuple(instruments), *maps).rounded()
        levels = np.array([transform == "level" for transform in transforms])
        means = scaling.factor * means + np.where(levels, scaling.offset, 0.0)
        variances = scaling.factor**2 * variances
    mean = np.average(means, axis=0, weights=rows)
    within = np.average(variances, axis=0, weights=rows)
    between = np.average((means - mean) ** 2, axis=0, weights=rows)
    return (
        Preprocessing(
            transforms=transforms,
            mean=mean.astype(np.float32),
            scale=(1.0 / np.sqrt(within + between)).astype(np.float32),
        ),
        scaling,
    )


def _common_units(
    transforms: tuple[Transform, ...],
    statistics: Sequence[ColumnStatistics],
    means: NDArray[np.float64],
    variances: NDArray[np.float64],
    still: NDArray[np.bool_],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return factors and offsets (I, F): each series to the average deviation, levels to the mean.

    So are ``means``, ``variances`` and ``still``.
    """
    rows = np.array([one.rows for one in statistics], dtype=np.float64)
    average = np.average(means, axis=0, weights=rows)
    deviation = np.sqrt(np.average(variances, axis=0, weights=rows))
    factor = np.where(still, 1.0, deviation / np.sqrt(np.where(still, 1.0, variances)))
    offset = np.zeros_like(factor)
    for column, transform in enumerate(transforms):
        if transform == "level":
            offset[:, column] = average[column] - factor[:, column] * means[:, column]
        elif transform == "log_difference":  # its size stays, whatever the power
            size = np.array([one.mean_logarithm[column] for one in statistics])
            offset[:, column] = (1.0 - factor[:, column]) * size
    return factor, offset


def _require_variation(constant: NDArray[np.bool_], names: Sequence[str], what: str) -> None:
    if constant.any():
        column = names[int(np.argmax(constant))]
        raise DataError(f"Column {column!r} {what}; it cannot tell regimes apart. Leave it out.")
