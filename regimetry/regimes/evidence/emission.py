"""The density of the next bar in each regime: a vector autoregression with heavy tails.

Markov-switching autoregression of Hamilton 1989 with the t distribution of Peel, McLachlan 2000
in place of the normal one. The cost of regime k is minus the log-likelihood, in nats, of the newest
bar of a window given the bars before it, less that of the likeliest regime.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

Array = NDArray[np.float64]

HIGHEST_COST = 20.0
"""No bar speaks louder than this, in nats: an outlier is one bar, not a change of regime."""


@dataclass(frozen=True)
class Emission:
    """The conditional density of a bar in each of K regimes, over C channels.

    Attributes
    ----------
    channels : tuple of int
        Which of the F features it reads.
    coefficients : ndarray, shape (K, 1 + P C, C)
        Intercept, then the C channels one bar back, two bars back, ... P bars back.
    factors : ndarray, shape (K, C, C)
        L with residual precision ``L L^T``.
    degrees_of_freedom : ndarray, shape (K,)
        Degrees of freedom of the t distribution.
    """

    channels: tuple[int, ...]
    coefficients: Array
    factors: Array
    degrees_of_freedom: Array

    @property
    def order(self) -> int:
        """P, bars that the next one depends on."""
        return (self.coefficients.shape[1] - 1) // len(self.channels)

    @property
    def n_regimes(self) -> int:
        """K."""
        return len(self.coefficients)

    @property
    def constants(self) -> Array:
        """Cost (K,) of a bar that is exactly as each regime expects it."""
        size = len(self.channels)
        logdet = np.log(np.diagonal(self.factors, axis1=1, axis2=2)).sum(axis=1)
        nu = self.degrees_of_freedom
        return gammaln(nu / 2) - gammaln((nu + size) / 2) + size / 2 * np.log(nu * np.pi) - logdet

    @property
    def unit_factors(self) -> tuple[Array, Array]:
        """M (K, C, C) and deviations D (K, C) with ``M (e / D)`` uncorrelated and of unit scale.

        With the lower triangular A of the covariance ``A A^T``, M is ``A^-1 D``, and has ones on
        its diagonal.
        """
        lower = np.linalg.cholesky(np.linalg.inv(self.factors @ self.factors.transpose(0, 2, 1)))
        deviation = np.diagonal(lower, axis1=1, axis2=2).copy()
        return np.linalg.inv(lower) * deviation[:, None, :], deviation

    def window_map(self, n_features: int) -> tuple[Array, Array]:
        """Return the affine map from the last P + 1 bars to residuals of unit scale.

        Returns
        -------
        matrix : ndarray, shape ((P + 1) F, K C)
            Of the bars flattened in time order.
        offset : ndarray, shape (K C,)
        """
        order, channels = self.order, list(self.channels)
        size, count = len(channels), self.n_regimes
        matrix = np.zeros((order + 1, n_features, count, size))
        for regime in range(count):
            factor, table = self.factors[regime], self.coefficients[regime]
            matrix[order, channels, regime] = factor
            for back in range(1, order + 1):
                rows = table[1 + (back - 1) * size : 1 + back * size]
                matrix[order - back, channels, regime] = -rows @ factor
        offset = -np.einsum("kc,kcd->kd", self.coefficients[:, 0], self.factors)
        return matrix.reshape((order + 1) * n_features, count * size), offset.reshape(-1)

    def density(self, before: Array, now: Array) -> Array:
        """Return the log-likelihood (T, K) of bars ``now`` (T, C), in nats.

        ``before`` (T, 1 + P C) has a 1 and the P bars before each, the nearest first.
        """
        residual = now - np.einsum("td,kdc->ktc", before, self.coefficients)
        squares = np.sum((residual @ self.factors) ** 2, axis=2).T
        nu, size = self.degrees_of_freedom, len(self.channels)
        return np.asarray(-self.constants - (nu + size) / 2 * np.log1p(squares / nu))

    def costs(self, windows: NDArray[np.floating]) -> Array:
        """Return the costs (N, K) of the newest bars of preprocessed windows (N, W, F).

        0 for the likeliest regime, :data:`HIGHEST_COST` at most.
        """
        recent = np.asarray(windows[:, windows.shape[1] - self.order - 1 :], dtype=np.float64)
        matrix, offset = self.window_map(recent.shape[2])
        residual = recent.reshape(len(recent), -1) @ matrix + offset
        squares = np.sum(residual.reshape(len(recent), self.n_regimes, -1) ** 2, axis=2)
        size = len(self.channels)
        cost = self.constants + (self.degrees_of_freedom + size) / 2 * np.log(
            1 + squares / self.degrees_of_freedom
        )
        return np.minimum(cost - cost.min(axis=1, keepdims=True), HIGHEST_COST)

    def reordered(self, order: NDArray[np.integer]) -> Emission:
        """Return the same with regime ``order[new]`` at place ``new``."""
        return Emission(
            self.channels,
            self.coefficients[order],
            self.factors[order],
            self.degrees_of_freedom[order],
        )
