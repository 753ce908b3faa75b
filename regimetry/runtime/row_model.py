"""A model file's density in the units of its columns: rows in, log densities and moments out."""

from __future__ import annotations

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
    instrument : str or None
        Whose units :attr:`mean` and :attr:`deviation` are, where each instrument has its own.
    """

    contract: ModelContract
    record: DensityRecord
    instrument: str | None = None

    @classmethod
    def of(cls, contract: ModelContract, instrument: str | None = None) -> RowModel:
        """Return the density that says most of the next row.

        Raises
        ------
        ModelError
            The contract has none.
        """
        regimes = cls.of_regimes(contract)
        single = contract.single_density
        record = regimes.record if single is None else single
        return cls(contract, record, instrument)

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
    def unit(self) -> Array:
        """Unit of training of each column, of rows in common units, (C,)."""
        return 1.0 / np.array([self.contract.scale[channel] for channel in self.channels])

    @cached_property
    def zero(self) -> Array:
        """Zero of training of each column, of rows in common units, (C,)."""
        return np.array([self.contract.mean[channel] for channel in self.channels])

    @cached_property
    def own_map(self) -> tuple[Array, Array]:
        """Factor and offset (C,) from the instrument's columns, as read, to common units."""
        scaling = self.contract.scaling
        if scaling is None or self.instrument is None:
            return np.ones(len(self.channels)), np.zeros(len(self.channels))
        factor, offset = scaling.maps_of([self.instrument])
        # What is differenced keeps no offset.
        kept = np.where(self.transforms == "level", offset[0, self.channels], 0.0)
        return factor[0, self.channels], kept

    @cached_property
    def deviation(self) -> Array:
        """Unit of training of each column, in the column's own units, (C,)."""
        return self.unit / self.own_map[0]

    @cached_property
    def mean(self) -> Array:
        """Zero of training of each column, in the column's own units, (C,)."""
        factor, offset = self.own_map
        return (self.zero - offset) / factor

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
        """What a log density in units of training has more than one in the columns' own units."""
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
        return (read - self.zero) / self.unit

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
            self.zero,
            self.unit,
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
