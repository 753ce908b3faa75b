"""Evidence of single rows where scales move: the cost of a window's newest row.

The scales before it are those that the rows of the window leave, from the mean scales on. Squares
count whole here, where :mod:`regimetry.runtime.density` weights an outlier down and remembers all
rows: then a window's scales are a product of its squares with fixed weights, in any runtime and
without a state. On simulators both recognise the same (docs/head.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.regimes.evidence.emission import HIGHEST_COST
from regimetry.runtime.density import Array, RowDensity

MOST_ROWS = 60
"""Of a window, the last so many residuals are read: others have been forgotten, or nearly."""

LEAST_SCALE = 1e-3
"""Of evidence, as of a constant scale's: below, a residual of 32 bits is rounding."""

_BLOCK = 2048  # windows whose residuals are held together


@dataclass(frozen=True)
class MovingEmission:
    """The conditional density of the newest row of windows (N, W, F), in each of K regimes.

    Attributes
    ----------
    channels : tuple of int, length C
        Which of the F features it reads.
    row_density : RowDensity
    """

    channels: tuple[int, ...]
    row_density: RowDensity

    @property
    def order(self) -> int:
        """P, rows that the next one depends on."""
        return self.row_density.order

    @property
    def n_regimes(self) -> int:
        """K."""
        return self.row_density.n_regimes

    @property
    def degrees_of_freedom(self) -> Array:
        """Of the tails, (K,)."""
        return self.row_density.freedom

    def rows(self, window_size: int) -> int:
        """Return how many residuals of a window are read."""
        return min(window_size - self.order, MOST_ROWS)

    def residual_maps(self, n_features: int) -> list[Array]:
        """Return the matrices (F, K C) from a row, and from each of P rows before, to residuals."""
        density, channels = self.row_density, list(self.channels)
        count, size = density.n_regimes, density.n_channels
        maps = []
        for back in range(density.order + 1):
            table = density.coefficients[:, 1 + (back - 1) * size : 1 + back * size]
            own = np.eye(size)[None] if back == 0 else -table  # (K, C, C)
            matrix = np.zeros((n_features, count, size))
            matrix[channels] = np.moveaxis(np.broadcast_to(own, (count, size, size)), 0, 1)
            maps.append(matrix.reshape(n_features, count * size))
        return maps

    def weights(self, rows: int) -> tuple[Array, Array, Array]:
        """Return what the residuals of ``rows`` rows before add to each scale.

        Returns
        -------
        squares, falls : ndarray, shape (rows, K, C)
            Weights of their squares, and of those of falls; the earliest row first.
        constant : ndarray, shape (K, C)
        """
        density, size = self.row_density, self.row_density.n_channels
        ages = np.arange(rows, -1, -1)[:, None]
        kept, fallen = density.memory**ages, density.fall_memory**ages
        constant = density.omega * kept[1:].sum(axis=0)[:, None]
        constant = constant + density.begin[:, :size] * kept[0][:, None]
        constant = constant + density.begin[:, size:] * fallen[0][:, None]
        squares = np.repeat((kept[1:] * density.shock)[:, :, None], size, axis=2)
        return squares, fallen[1:, :, None] * density.leverage, constant

    def costs(self, windows: NDArray[np.floating]) -> Array:
        """Return the costs (N, K) of the newest rows of preprocessed windows (N, W, F).

        0 for the likeliest regime, :data:`~regimetry.regimes.evidence.emission.HIGHEST_COST` at
        most.
        """
        read = windows[:, windows.shape[1] - self.rows(windows.shape[1]) - self.order :]
        blocks = range(0, len(read), _BLOCK)
        return np.concatenate([self._costs(read[i : i + _BLOCK]) for i in blocks])

    def _costs(self, read: NDArray[np.floating]) -> Array:
        """Return the costs of windows of as many rows as are read."""
        density, order = self.row_density, self.order
        rows = read.shape[1] - order
        residual = -density.coefficients[:, 0].reshape(-1) + np.zeros((len(read), rows, 1))
        for back, matrix in enumerate(self.residual_maps(read.shape[2])):
            earlier = np.asarray(read[:, order - back : order - back + rows], dtype=np.float64)
            residual = residual + earlier @ matrix
        residual = residual.reshape(len(read), rows, self.n_regimes, -1)
        before = residual[:, :-1]
        squares, falls, constant = self.weights(rows - 1)
        scales = constant + np.einsum("njkc,jkc->nkc", before**2, squares)
        scales += np.einsum("njkc,jkc->nkc", np.minimum(before, 0.0) ** 2, falls)
        scales = np.maximum(scales, LEAST_SCALE)
        scales = np.concatenate([scales, np.zeros_like(scales)], axis=2)
        alone = np.arange(len(read) + 1)
        newest = np.ascontiguousarray(residual[:, -1])
        logs, _ = density.densities(newest, np.ascontiguousarray(scales), alone)
        return np.minimum(logs.max(axis=1, keepdims=True) - logs, HIGHEST_COST)

    def reordered(self, order: NDArray[np.integer]) -> MovingEmission:
        """Return the same with regime ``order[new]`` at place ``new``."""
        return MovingEmission(self.channels, self.row_density.reordered(order))
