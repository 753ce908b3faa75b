"""The posterior of a density's parameters and its gradient: what a fit maximises.

By Fisher's identity the gradient of the likelihood of a chain is that of the densities, weighted by
the probability of each regime given all rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from regimetry._core import scale_gradient
from regimetry.regimes.density.parameters import Layout
from regimetry.regimes.evidence.em import Bars
from regimetry.regimes.evidence.forward_backward import forward_backward
from regimetry.runtime.density import Array, RowDensity

_LEAST_ROWS = 1e-6  # of a regime, for a mean over them


@dataclass(frozen=True)
class Posterior:
    """Minus the log posterior of a vector, with its gradient; and what else a fit wants to know.

    Attributes
    ----------
    layout : Layout
    rows : Bars
    weights : ndarray, shape (N, K), or None
        Of the regimes in each row, where they are given.
    begin : ndarray, shape (K, 2 C)
        Scales before the first row of each series.
    """

    layout: Layout
    rows: Bars
    weights: Array | None
    begin: Array

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Boundaries of the series."""
        return np.append(np.flatnonzero(self.rows.begins), len(self.rows.now))

    def __call__(self, vector: Array) -> tuple[float, Array]:
        """Return value and gradient."""
        layout, rows = self.layout, self.rows
        density, stay = layout.density(vector, self.begin)
        residuals = density.residuals(rows.before, rows.now)
        begin = self._begins(density)
        logs, scales = density.densities(residuals, begin, self.offsets)
        weights, value, by_stay = self._weights(logs, stay)
        by_residual, by_table, by_skew, _ = scale_gradient(
            residuals, weights, density.table, density.constants, density.skew, begin, scales,
            self.offsets,
        )  # fmt: skip
        _add_constants(density, weights.sum(axis=0), by_table, by_skew)
        prior, by_prior = layout.prior(vector)
        gradient = layout.gradient(vector, density, by_table, by_skew)
        part = layout.unpack(gradient)
        flat = rows.before.T @ by_residual.reshape(len(rows.now), -1)
        by_coefficient = -np.moveaxis(flat.reshape(-1, layout.n_regimes, layout.n_channels), 1, 0)
        part["intercepts"][:], part["slopes"][:] = by_coefficient[:, :1], by_coefficient[:, 1:]
        if "stay" in part:
            part["stay"][:] = by_stay * stay * (1 - stay)
        return prior - value, by_prior - gradient

    def _weights(self, logs: Array, stay: float) -> tuple[Array, float, float]:
        """Return the weight of each regime in each row, the log-likelihood, and d of it by stay."""
        if self.weights is not None:
            return self.weights, float(np.sum(self.weights * logs)), 0.0
        found = forward_backward(-logs, stay, self.rows.begins)
        followers = len(logs) - int(self.rows.begins.sum())
        by_stay = found.stays / stay - (followers - found.stays) / (1 - stay)
        return found.state, found.log_likelihood, by_stay

    def mean_scales(self, density: RowDensity, stay: float) -> tuple[Array, Array]:
        """Return the means of a density's scales over all rows, and over those of each regime.

        Returns
        -------
        both : ndarray, shape (K, 2 C)
            Of either part.
        typical : ndarray, shape (K, C)
            Of their sum, where the regime holds; over all rows, if it holds nowhere.
        """
        residuals = density.residuals(self.rows.before, self.rows.now)
        logs, scales = density.densities(residuals, self._begins(density), self.offsets)
        weights, _, _ = self._weights(logs, stay)
        total = np.einsum("tk,tkc->kc", weights, density.total(scales))
        held, mean = weights.sum(axis=0)[:, None], np.asarray(scales.mean(axis=0))
        some = held > _LEAST_ROWS
        typical = np.where(some, total / np.where(some, held, 1.0), density.total(mean))
        return mean, typical

    def _begins(self, density: RowDensity) -> Array:
        return np.tile(density.begin, (len(self.offsets) - 1, 1, 1))

    def log_likelihood(self, vector: Array) -> float:
        """Return the log-likelihood in nats, without the prior."""
        return self.layout.prior(vector)[0] - self(vector)[0]


def _add_constants(density: RowDensity, total: Array, by_table: Array, by_skew: Array) -> None:
    """Add the derivatives of minus the constants, whose weights (K,) are ``total``."""
    nu, size, xi = density.freedom, density.n_channels, density.skew
    by_table[:, -1] -= total * (
        digamma(nu / 2) / 2 - digamma((nu + size) / 2) / 2 + size / (2 * nu)
    )
    by_skew -= total.sum() * (1 - xi**-2) / (xi + 1 / xi)
