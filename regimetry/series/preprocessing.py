"""What happens to every bar before windows are cut: differences, scaling, clipping.

The same arithmetic stands at the head of the exported graph; here it is the twin for the fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError, DataError

Transform = Literal["level", "difference", "log_difference"]
TRANSFORMS: tuple[Transform, ...] = get_args(Transform)

UNIT_ROOT_COEFFICIENT = 0.985
"""A channel whose AR(1) coefficient exceeds this is differenced by ``difference="auto"``."""

SMOOTH_STEPS, TURNED_BACK = 0.5, 0.65
"""Unless it is a smooth cycle: the AR(1) coefficient of its steps is above the one, and its
autocorrelation over :func:`turning_bars` below the other. A random walk has about 0 and .9."""

CLIP_DEVIATIONS = 6.0

_BLOCK_ROWS = 1 << 16

_TOO_CLOSE = 0.1  # relative; closer than this, nearness to 0 decides
_NEAR_ZERO = 0.25  # of what a random walk of the same steps covers in as many bars


def ar1_coefficient(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the AR(1) coefficient of each column by least squares on centred values.

    Parameters
    ----------
    values : ndarray of float64, shape (T, F)

    Returns
    -------
    ndarray of float64, shape (F,)
        0 for a constant column.
    """
    centred = values - values.mean(axis=0)
    before, after = centred[:-1], centred[1:]
    power = np.sum(before**2, axis=0)
    coefficient: NDArray[np.float64] = np.divide(
        np.sum(before * after, axis=0), power, out=np.zeros(values.shape[1]), where=power > 0
    )
    return coefficient


def turning_bars(n_rows: int) -> int:
    """Return within how many bars a cycle turns: a fiftieth of the series, 1 to 100."""
    return min(100, max(1, n_rows // 50))


def is_smooth_cycle(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which columns go on in their direction for a while, and turn back.

    Their AR(1) coefficient is near 1 because they are sampled often, not because they wander: a
    walk's steps know nothing of each other, and a moving average of one does not turn back.

    Parameters
    ----------
    values : ndarray of float64, shape (T, F)

    Returns
    -------
    ndarray of bool, shape (F,)
    """
    lag = turning_bars(len(values))
    centred = values - values.mean(axis=0)
    together = np.mean(centred[:-lag] * centred[lag:], axis=0)
    found: NDArray[np.bool_] = together < TURNED_BACK * np.mean(centred**2, axis=0)
    found &= ar1_coefficient(np.diff(values, axis=0)) > SMOOTH_STEPS
    return found


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
    def lag(self) -> int:
        """Rows that a transformed row needs before itself: 1 if any column is differenced."""
        return rows_before(self.transforms)

    def apply(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Transform, scale and clip.

        Parameters
        ----------
        values : ndarray of float, shape (T, F)

        Returns
        -------
        ndarray of float32, shape (T - lag, F)
            Row i knows the input rows up to ``i + lag``.
        """
        scaled = (self.transform(values) - self.mean) * self.scale
        return np.clip(scaled, -self.clip, self.clip, out=scaled)

    def transform(self, values: NDArray[np.floating]) -> NDArray[np.float32]:
        """Apply the per-column transforms alone; shapes as for :meth:`apply`."""
        return _transform(np.asarray(values, dtype=np.float32), self.transforms)


def _transform(values: NDArray[np.float32], transforms: Sequence[Transform]) -> NDArray[np.float32]:
    if all(transform == "level" for transform in transforms):
        return values
    now, before = values[1:], values[:-1]
    kinds = np.array(transforms)
    result = np.where(kinds == "difference", now - before, now)
    logs = kinds == "log_difference"
    if logs.any():
        result[:, logs] = np.log(now[:, logs] / before[:, logs])
    return result


def moves_in_proportion(column: NDArray[np.float64]) -> bool:
    """Return whether changes of a column (T,) are better told in logarithms than as they are.

    Of the two the one under which the column is likelier, its changes having a Laplace
    distribution (Box, Cox 1964 with powers 0 and 1). Where a positive column does not vary enough
    to tell, logarithms, unless it came so near 0 that a random walk of its steps would reach it: a
    level that is positive by chance need not stay so.
    """
    if not np.all(column > 0):
        return False
    logs = np.log(column)
    relative = np.abs(np.diff(logs)).mean() * np.exp(logs.mean())
    ratio = relative / np.abs(np.diff(column)).mean()
    if abs(ratio - 1.0) > _TOO_CLOSE:
        return bool(ratio < 1.0)
    return bool(column.min() > _NEAR_ZERO * np.diff(column).std() * np.sqrt(len(column)))


def choose_transforms(
    values: NDArray[np.float64], difference: str | Sequence[str], names: Sequence[str]
) -> tuple[Transform, ...]:
    """Decide which columns are differenced.

    Near-unit-root columns, such as prices, would take over the slow directions that regimes are
    read from, whatever else the data hold.

    Parameters
    ----------
    values : ndarray of float64, shape (T, F)
    difference : {"auto", "none"} or sequence of str
        "auto" differences every column whose AR(1) coefficient exceeds
        :data:`UNIT_ROOT_COEFFICIENT` and that is no :func:`is_smooth_cycle`; a sequence names the
        columns. Columns that are positive
        throughout and move in proportion to their level are differenced in logarithms.
    names : sequence of str
        Column names, length F.

    Returns
    -------
    tuple of {"level", "difference", "log_difference"}

    Raises
    ------
    ConfigError
        ``difference`` is neither a known word nor a list of columns.
    """
    if isinstance(difference, str):
        if difference not in ("auto", "none"):
            raise ConfigError(
                f"difference is {difference!r}; it must be 'auto', 'none' or a list of columns."
            )
        chosen = np.zeros(values.shape[1], dtype=np.bool_)
        if difference == "auto":
            chosen = ar1_coefficient(values) > UNIT_ROOT_COEFFICIENT
            chosen &= ~is_smooth_cycle(values)
    else:
        unknown = sorted(set(difference) - set(names))
        if unknown:
            raise ConfigError(
                f"difference names {', '.join(unknown)}, which the data do not have; "
                f"the columns are {', '.join(names)}."
            )
        chosen = np.array([name in set(difference) for name in names])
    return tuple(
        ("log_difference" if moves_in_proportion(column) else "difference") if apart else "level"
        for apart, column in zip(chosen, values.T, strict=True)
    )


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
    wide = np.asarray(values, dtype=np.float64)
    _refuse_constant(wide, names, "is constant")
    transforms = choose_transforms(wide, difference, names)
    # What the model file will see is float32: measure what it will measure.
    transformed = _transform(wide.astype(np.float32), transforms).astype(np.float64)
    _refuse_constant(transformed, names, "is constant once differenced")
    mean = transformed.mean(axis=0)
    return Preprocessing(
        transforms=transforms,
        mean=mean.astype(np.float32),
        scale=(1.0 / transformed.std(axis=0)).astype(np.float32),
    )


def _refuse_constant(values: NDArray[np.float64], names: Sequence[str], what: str) -> None:
    spread = np.ptp(values, axis=0)
    # Of such a column float32, which the model file computes in, would keep next to nothing.
    constant = spread <= 1e-6 * np.abs(values).max(axis=0)
    if constant.any():
        column = names[int(np.argmax(constant))]
        raise DataError(f"Column {column!r} {what}; it cannot tell regimes apart. Leave it out.")


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
