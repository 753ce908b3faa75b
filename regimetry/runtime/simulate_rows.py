"""Draws of the rows that may come: the density fed with its own draws."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.runtime.chain import Array
from regimetry.runtime.density import RowDensity


class Start(NamedTuple):
    """Where draws begin.

    Attributes
    ----------
    rows : ndarray, shape (P, C)
        The last rows, in units of training.
    scales : ndarray, shape (K, 2 C)
        After them.
    weights : ndarray, shape (K,)
        Probability of each regime in the row that comes next.
    """

    rows: Array
    scales: Array
    weights: Array


def draw(
    density: RowDensity,
    chain: Array,
    start: Start,
    *,
    horizon: int,
    paths: int,
    rng: np.random.Generator,
) -> tuple[Array, NDArray[np.int64]]:
    """Draw paths of the rows that follow.

    Parameters
    ----------
    density : RowDensity
    chain : ndarray, shape (K, K)
        Probability of each regime after each.
    start : Start
    horizon, paths : int
        H rows of S paths.
    rng : Generator

    Returns
    -------
    rows : ndarray, shape (S, H, C)
        In units of training.
    regimes : ndarray of int64, shape (S, H)
    """
    order, size, each = density.order, density.n_channels, np.arange(paths)
    mixing = np.linalg.inv(density.factors)
    history = np.tile(start.rows[len(start.rows) - order :], (paths, 1, 1))
    scales = np.tile(start.scales, (paths, 1, 1))
    rows = np.empty((paths, horizon, size))
    regimes = np.empty((paths, horizon), dtype=np.int64)
    odds = np.tile(start.weights, (paths, 1))
    for step in range(horizon):
        regime = (odds.cumsum(axis=1) < rng.random((paths, 1)) * (1 - 1e-12)).sum(axis=1)
        before = np.concatenate([np.ones((paths, 1)), history[:, ::-1].reshape(paths, -1)], axis=1)
        unit = np.einsum("scd,sd->sc", mixing[regime], _lean(density, regime, rng))
        location = density.means(before)[each, regime]
        now = location + np.sqrt(density.total(scales[each, regime])) * unit
        rows[:, step], regimes[:, step] = now, regime
        _, moved = density.densities(
            density.residuals(before, now), np.ascontiguousarray(scales), np.arange(paths + 1)
        )
        scales, odds = moved, chain[regime]
        history = np.concatenate([history, now[:, None]], axis=1)[:, 1:]
    return rows, regimes


def _lean(density: RowDensity, regime: NDArray[np.int64], rng: np.random.Generator) -> Array:
    """Draw u (S, C): numbers of a t distribution, stretched above 0 by xi and below by 1 / xi."""
    nu, xi = density.freedom[regime], density.skew
    shape = (len(regime), len(xi))
    size = np.abs(rng.standard_normal(shape)) / np.sqrt(rng.chisquare(nu) / nu)[:, None]
    up = rng.random(shape) < xi**2 / (1 + xi**2)
    return np.where(up, size * xi, -size / xi)
