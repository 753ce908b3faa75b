"""The density of each row given the rows before it, in each regime: numpy and the extension.

Row t of C channels, in units of training, with the rows before it and the scales h that they left:

``e = x_t - B_k [1, x_{t-1}, ..., x_{t-P}]``, and of e the skewed t distribution of
:func:`regimetry._core.scale_densities`. A vector autoregression (Hamilton 1989) with heavy tails
(Peel, McLachlan 2000), a skew in two pieces (Fernandez, Steel 1998), leverage (Glosten,
Jagannathan, Runkle 1993), and in each regime a scale that runs on every row, whichever regime holds
(Haas, Mittnik, Paolella 2004).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from regimetry._core import scale_densities
from regimetry.contract.density import DensityRecord

Array = NDArray[np.float64]


@dataclass(frozen=True)
class RowDensity:
    """Parameters of the density in each of K regimes, over C channels in units of training.

    Attributes
    ----------
    coefficients : ndarray, shape (K, 1 + P C, C)
        B: intercept, then the C channels one row back, two rows back, ... P rows back.
    factors : ndarray, shape (K, C, C)
        M, lower triangular with ones on the diagonal: ``M (e / sqrt(h))`` is uncorrelated.
    omega, leverage : ndarray, shape (K, C)
    shock, memory, fall_memory, freedom : ndarray, shape (K,)
        a, b, f and nu.
    skew : ndarray, shape (C,)
        xi; 1 for none.
    begin : ndarray, shape (K, 2 C)
        h, and behind it l, before the first row: the scale is their sum.
    typical : ndarray, shape (K, C)
        Mean scale over the training rows of each regime.
    """

    coefficients: Array
    factors: Array
    omega: Array
    leverage: Array
    shock: Array
    memory: Array
    fall_memory: Array
    freedom: Array
    skew: Array
    begin: Array
    typical: Array

    @classmethod
    def of(cls, record: DensityRecord) -> RowDensity:
        """Return the density of a model file's entry."""
        return cls(**{name: np.array(getattr(record, name), dtype=np.float64) for name in FIELDS})

    @property
    def n_regimes(self) -> int:
        """K."""
        return len(self.factors)

    @property
    def n_channels(self) -> int:
        """C."""
        return len(self.skew)

    @property
    def order(self) -> int:
        """P, rows that the next one depends on."""
        return int(self.coefficients.shape[1] - 1) // self.n_channels

    @property
    def moves(self) -> bool:
        """Whether any regime's scale moves."""
        return bool(np.any(self.shock > 0) or np.any(self.leverage > 0))

    @cached_property
    def table(self) -> Array:
        """The parameters as the extension takes them, (K, C C + 2 C + 4)."""
        return np.ascontiguousarray(
            np.column_stack(
                [
                    self.factors.reshape(self.n_regimes, -1),
                    self.omega,
                    self.leverage,
                    self.shock,
                    self.memory,
                    self.fall_memory,
                    self.freedom,
                ]
            )
        )

    @cached_property
    def constants(self) -> Array:
        """Minus the logarithm of the density (K,) at e = 0 and h = 1."""
        size = self.n_channels
        skewed = float(np.sum(np.log(2.0 / (self.skew + 1.0 / self.skew))))
        return np.array(
            [
                math.lgamma(nu / 2)
                - math.lgamma((nu + size) / 2)
                + size / 2 * math.log(nu * math.pi)
                - skewed
                for nu in self.freedom.tolist()
            ]
        )

    @cached_property
    def unit_moments(self) -> tuple[Array, Array]:
        """Mean (K, C) and covariance (K, C, C) of ``e / sqrt(h + l)``.

        Of ``M^-1 u``, where u has independent signs and the magnitudes of a t distribution, each
        stretched by xi or 1 / xi (Fernandez, Steel 1998).
        """
        nu, xi = self.freedom, self.skew
        # E|t| of one number of the t distribution, and of its square.
        first = np.array(
            [
                2
                * math.sqrt(n / math.pi)
                * math.exp(math.lgamma((n + 1) / 2) - math.lgamma(n / 2))
                / (n - 1)
                for n in nu.tolist()
            ]
        )
        second = nu / (nu - 2)
        lean = xi - 1 / xi
        mean = first[:, None] * lean
        product = (2 / math.pi) * second[:, None, None] * np.outer(lean, lean)
        own = np.arange(len(xi))
        product[:, own, own] = second[:, None] * (xi**2 - 1 + xi**-2)
        inverse = np.linalg.inv(self.factors)
        covariance = product - mean[:, :, None] * mean[:, None, :]
        return (
            np.einsum("kcd,kd->kc", inverse, mean),
            inverse @ covariance @ inverse.transpose(0, 2, 1),
        )

    def total(self, scales: Array) -> Array:
        """Return the scales (..., C) whose two parts are (..., 2 C)."""
        return np.asarray(scales[..., : self.n_channels] + scales[..., self.n_channels :])

    def means(self, before: Array) -> Array:
        """Return the location (N, K, C) of rows with ``before`` (N, 1 + P C), as for a fit."""
        size, count = self.n_channels, self.n_regimes
        flat = np.moveaxis(self.coefficients, 0, 1).reshape(-1, count * size)
        return np.asarray((before @ flat).reshape(len(before), count, size))

    def residuals(self, before: Array, now: Array) -> Array:
        """Return e (N, K, C) of rows ``now`` (N, C)."""
        return np.ascontiguousarray(now[:, None] - self.means(before))

    def densities(
        self, residuals: Array, scales: Array, offsets: NDArray[np.int64] | None = None
    ) -> tuple[Array, Array]:
        """Return log densities (N, K) in nats and the scales (N, K, 2 C) after each row.

        ``scales`` (M, K, 2 C) are those before the first row of each of M series, whose boundaries
        are ``offsets``.
        """
        return scale_densities(residuals, self.table, self.constants, self.skew, scales, offsets)

    def reordered(self, order: NDArray[np.integer]) -> RowDensity:
        """Return the same with regime ``order[new]`` at place ``new``."""
        by_regime = {name: getattr(self, name)[order] for name in FIELDS if name != "skew"}
        return replace(self, **by_regime)


FIELDS = tuple(RowDensity.__dataclass_fields__)
"""The parameters by name."""
