"""Noise that simulators are made of."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from regimetry.series.simulators.simulation import Values


def equicorrelation(n: int, correlation: float) -> Values:
    """Return the matrix (n, n) with ones on the diagonal and ``correlation`` elsewhere."""
    matrix = np.full((n, n), correlation)
    np.fill_diagonal(matrix, 1.0)
    return matrix


def correlated_noise(
    n_rows: int, n: int, correlation: float, generator: np.random.Generator
) -> Values:
    """Return standard normal noise (T, n) of one correlation between any two columns."""
    root = np.linalg.cholesky(equicorrelation(n, correlation))
    return generator.standard_normal((n_rows, n)) @ root.T


def autoregression(start: Values, coefficient: Values, shocks: Values) -> Values:
    """Return x_t = c_t x_{t-1} + e_t.

    Parameters
    ----------
    start : ndarray, shape (n,)
        x_0.
    coefficient : ndarray, shape (T,)
    shocks : ndarray, shape (T, n)
        The first row is not used.

    Returns
    -------
    ndarray of float64, shape (T, n)
    """
    values = np.empty(shocks.shape)
    values[0] = start
    for row in range(1, len(shocks)):
        values[row] = coefficient[row] * values[row - 1] + shocks[row]
    return values


def garch(noise: Values, variance: float, arch: float, persistence: float) -> Values:
    """Return GARCH(1, 1) returns (Bollerslev 1986), columns independent given the noise.

    Parameters
    ----------
    noise : ndarray, shape (T, n)
        Of variance 1.
    variance : float
        Unconditional.
    arch, persistence : float
        Weights of the last squared return and of the last conditional variance.

    Returns
    -------
    ndarray of float64, shape (T, n)
    """
    values = np.empty(noise.shape)
    conditional, shock = np.full(noise.shape[1], variance), np.zeros(noise.shape[1])
    for row in range(len(noise)):
        conditional = (
            variance * (1 - arch - persistence) + arch * shock**2 + persistence * conditional
        )
        shock = np.sqrt(conditional) * noise[row]
        values[row] = shock
    return values


def trailing(values: Values, size: int, statistic: Callable[..., Values]) -> Values:
    """Return a statistic of each bar (T,) and the ``size - 1`` bars before it; NaN at first."""
    windows = np.lib.stride_tricks.sliding_window_view(values, size)
    return np.concatenate([np.full(size - 1, np.nan), statistic(windows, axis=1)])
