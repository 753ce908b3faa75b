"""A model file's density in the units of its columns: rows in, log densities and moments out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regimetry._core import DensityStep
from regimetry.contract import ModelContract
from regimetry.contract.density import DensityRecord
from regimetry.errors import ModelError
from regimetry.runtime.chain import Array, filtered, transition
from regimetry.runtime.density import RowDensity
from regimetry.runtime.skewed import skewed_cdf
from regimetry.series.preprocessing import TRANSFORMS

NO_DENSITY = (
    "The model has no density of its rows: it was written by an earlier release, or fitted on too "
    "few rows. Fit it again, on at least 30 windows for each regime."
)


@dataclass(frozen=True)
class RowModel:
    """A density of a contract.

    Attributes
    ----------
    contract : ModelContract
    record : DensityRecord
    """

    contract: ModelContract
    record: DensityRecord

    @classmethod
    def of(cls, contract: ModelContract) -> RowModel:
        """Return the density that says most of the next row.

        Raises
        ------
        ModelError
            The contract has none.
        """
        regimes = cls.of_regimes(contract)
        single = contract.single_density
        return regimes if single is None else cls(contract, single)

    @classmethod
    def of_regimes(cls, contract: ModelContract) -> RowModel:
        """Return the density of each regime; errors as for :meth:`of`."""
        if contract.density is None:
            raise ModelError(NO_DENSITY)
        return cls(contract, contract.density)

    @cached_property
    def density(self) -> RowDensity:
        """The parameters."""
        return RowDensity.of(self.record)

    @cached_property
    def channels(self) -> list[int]:
        """Features that the density describes, C of the F."""
        return list(self.record.channels)

    @cached_property
    def columns(self) -> list[str]:
        """Their names."""
        return [self.contract.schema.feature_names[channel] for channel in self.channels]

    @cached_property
    def transforms(self) -> NDArray[np.str_]:
        """What becomes of each: ``level``, ``difference`` or ``log_difference``, (C,)."""
        return np.array([self.contract.transforms[channel] for channel in self.channels])

    @cached_property
    def deviation(self) -> Array:
        """Unit of training of each column, in its own, (C,)."""
        return 1.0 / np.array([self.contract.scale[channel] for channel in self.channels])

    @cached_property
    def mean(self) -> Array:
        """Zero of training of each column, (C,)."""
        return np.array([self.contract.mean[channel] for channel in self.channels])

    @cached_property
    def rows_before(self) -> int:
        """Rows of the input before the first that has a density: differences and order."""
        return self._differs + self.density.order

    @cached_property
    def _differs(self) -> int:
        # Of all the columns, so that a row is one of the graph's preprocessed rows.
        return int(any(transform != "level" for transform in self.contract.transforms))

    @cached_property
    def _logs(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.transforms == "log_difference")

    @cached_property
    def _differences(self) -> NDArray[np.intp]:
        return np.flatnonzero(self.transforms != "level")

    @property
    def own_weights(self) -> bool:
        """Whether the density's own filter gives the probabilities of the regimes."""
        return self.record.weights == "density"

    @cached_property
    def chain(self) -> Array:
        """Probability (K, K) of each regime after each: the density's chain, or training's."""
        if self.own_weights or self.density.n_regimes == 1:
            return transition(self.density.n_regimes, self.record.stay)
        return chain_of(self.contract)

    @cached_property
    def first_weights(self) -> Array:
        """Probability (K,) of each regime before anything is known."""
        if self.own_weights or self.density.n_regimes == 1:
            return np.full(self.density.n_regimes, 1.0 / self.density.n_regimes)
        return np.array([regime.share for regime in self.contract.regimes])

    @cached_property
    def log_unit(self) -> float:
        """What a log density in units of training has more than one in the columns' own."""
        return float(np.log(self.deviation).sum())

    def rows(self, values: NDArray[np.floating]) -> Array:
        """Return rows (T, F) of one segment as the density reads them, (T - before, C).

        As the graph reads them, in 32 bits, so that a live series gives the same; then in 64.
        """
        read = np.asarray(values, dtype=np.float32)[:, self.channels].astype(np.float64)
        if self._differs:
            now, before = read[1:], read[:-1]
            read = now.copy()
            read[:, self._differences] -= before[:, self._differences]
            if len(self._logs):
                read[:, self._logs] = np.log(now[:, self._logs] / before[:, self._logs])
        return (read - self.mean) / self.deviation

    def step(self) -> DensityStep:
        """Return the step of a live series, which the extension takes."""
        density, (shift, spread) = self.density, self.density.unit_moments
        kinds = [TRANSFORMS.index(kind) for kind in self.transforms.tolist()]
        dense = np.ascontiguousarray
        return DensityStep(
            np.array(self.channels, dtype=np.int64),
            np.array(kinds, dtype=np.int64),
            bool(self._differs),
            self.own_weights,
            self.mean,
            self.deviation,
            dense(density.coefficients),
            density.table,
            density.constants,
            density.skew,
            dense(shift),
            dense(np.diagonal(spread, axis1=1, axis2=2)),
            dense(self.chain),
        )

    def before(self, rows: Array) -> Array:
        """Return the regressors (T - P + 1, 1 + P C) of the rows that follow P rows each."""
        order, size = self.density.order, rows.shape[1]
        count = len(rows) - order + 1
        result = np.ones((count, 1 + order * size))
        for back in range(1, order + 1):
            start = order - back
            result[:, 1 + (back - 1) * size : 1 + back * size] = rows[start : start + count]
        return result

    def follow(self, rows: Array, scales: Array | None = None) -> tuple[Array, Array]:
        """Return log densities (T - P, K) in units of training, and scales (T - P, K, 2 C) after.

        Parameters
        ----------
        rows : ndarray, shape (T, C)
            As :meth:`rows` gives them, of one segment.
        scales : ndarray, shape (K, 2 C), or None
            Before row P; ``None`` begins.
        """
        begin = self.density.begin if scales is None else scales
        residuals = self.density.residuals(self.before(rows)[:-1], rows[self.density.order :])
        return self.density.densities(residuals, np.ascontiguousarray(begin[None]))

    def filter(self, logs: Array) -> Array:
        """Return the probability (T, K) of each regime given the rows up to each.

        ``logs`` (T, K) are those of :meth:`follow`, from a segment's first on.
        """
        likelihood = np.exp(logs - logs.max(axis=1, keepdims=True))
        return filtered(likelihood, self.record.stay, np.arange(len(logs)) == 0)

    def moments(self, rows: Array, scales: Array) -> tuple[Array, Array]:
        """Return mean (K, C) and covariance (K, C, C) of the next row, in the columns' own units.

        Parameters
        ----------
        rows : ndarray, shape (P or more, C)
            The last rows, as :meth:`rows` gives them.
        scales : ndarray, shape (K, 2 C)
            After them.
        """
        order = self.density.order
        location = self.density.means(self.before(rows[len(rows) - order :]))[0]
        shift, spread = self.density.unit_moments
        spans = np.sqrt(self.density.total(scales)) * self.deviation
        mean = (location * self.deviation + self.mean) + spans * shift
        return mean, spread * spans[:, :, None] * spans[:, None, :]


def mixed(weights: Array, mean: Array, covariance: Array) -> tuple[Array, Array]:
    """Return mean (C,) and deviation (C,) of a mixture with weights (K,)."""
    centre = weights @ mean
    variance = np.diagonal(covariance, axis1=1, axis2=2) + (mean - centre) ** 2
    return centre, np.sqrt(weights @ variance)


def chain_of(contract: ModelContract) -> Array:
    """Return the transition matrix (K, K) of training; a regime without bars stays."""
    matrix = np.array(contract.transition_matrix)
    total = matrix.sum(axis=1, keepdims=True)
    return np.where(total > 0, matrix, np.eye(len(matrix)))


def log_scores(model: RowModel, parts: Sequence[Array], probability: Array | None = None) -> Array:
    """Return the log density of each row that a window ends with, given all rows before it.

    Parameters
    ----------
    model : RowModel
    parts : sequence of ndarray, shape (T_i, C)
        Rows of each segment that holds a window, as :meth:`RowModel.rows` gives them.
    probability : ndarray, shape (N, K), or None
        Of each regime, given the windows up to each: where windows tell the regimes. ``None``
        takes the density's own filter.

    Returns
    -------
    ndarray, shape (N,)
        In nats, in the columns' own units.
    """
    found = [np.empty(0)]
    for rows, weights in _weighted(model, parts, probability):
        logs, _ = model.follow(rows)
        found.append(log_mixture(weights, logs[-len(weights) :]) - model.log_unit)
    return np.concatenate(found)


def transformed_scores(
    model: RowModel, parts: Sequence[Array], probability: Array | None = None
) -> Array:
    """Return the probability integral transform of each row that a window ends with.

    Parameters as for :func:`log_scores`, of one column.

    Returns
    -------
    ndarray, shape (N,)
        The probability of a row at most as high, given all rows before it.
    """
    density, found = model.density, [np.empty(0)]
    for rows, weights in _weighted(model, parts, probability):
        _, scales = model.follow(rows)
        before = np.concatenate([density.begin[None], scales[:-1]])
        residuals = density.residuals(model.before(rows)[:-1], rows[density.order :])
        u = (residuals / np.sqrt(density.total(before)))[-len(weights) :, :, 0]
        below = skewed_cdf(u, float(density.skew[0]), density.freedom)
        found.append(np.sum(weights * below, axis=1))
    return np.concatenate(found)


def _weighted(
    model: RowModel, parts: Sequence[Array], probability: Array | None
) -> Iterator[tuple[Array, Array]]:
    """Yield rows of each segment, and the weights (N, K) before those that a window ends with."""
    skip, at = model.contract.window_rows - 1 - model.rows_before, 0
    for rows in parts:
        count = len(rows) - model.density.order - skip
        if probability is None:
            logs, _ = model.follow(rows)
            known = np.vstack([model.first_weights, model.filter(logs)[:-1]])[skip:]
        else:
            known = np.vstack([model.first_weights, probability[at : at + count - 1]])
        at += count
        yield rows, known @ model.chain


def log_mixture(weights: Array, logs: Array) -> Array:
    """Return the logarithm (T,) of mixtures of densities with logarithms (T, K)."""
    top = logs.max(axis=1)
    total = np.sum(weights * np.exp(logs - top[:, None]), axis=1)
    return np.asarray(top + np.log(np.maximum(total, math.exp(-700))))
