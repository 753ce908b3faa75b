"""Statistics of a window that novelty is a density of.

Per channel the log deviation, per pair of channels the correlation, and autocorrelations. The
graph has them as products of all channels, and of all rows where these are few, of which a matrix
picks some; a fit computes only those.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

Array = NDArray[np.float64]

LAGS = (1, 2, 4)
"""Autocorrelations that are measured, in bars, where the window is longer."""

MOST_PRODUCTS = 48
"""Rows of a window that the graph multiplies with each other; of more, those of each lag alone."""

VARIANCE_FLOOR = 1e-3  # in squared deviations of training: a flat window has no correlations


def raw_statistics(windows: NDArray[np.floating], channels: Array | None) -> tuple[Array, Array]:
    """Return log deviations, products of channels and of rows, and means (N, C).

    The first are (N, C + C C + W W), or (N, C + C C + L) with the sums of L lags.
    """
    mean, logarithm, scaled, whole = _scaled_rows(windows, channels)
    n, width = whole.shape[:2]
    if width <= MOST_PRODUCTS:
        of_rows = (whole @ whole.transpose(0, 2, 1)).reshape(n, -1)
    else:
        of_rows = np.stack(_lagged(whole), axis=1)
    of_channels = (scaled.transpose(0, 2, 1) @ scaled).reshape(n, -1)
    return np.concatenate([logarithm, of_channels, of_rows], axis=1), mean


def _scaled_rows(
    windows: NDArray[np.floating], channels: Array | None
) -> tuple[Array, Array, Array, Array]:
    """Return means, log deviations (N, C), and rows scaled about the mean and about 0 (N, W, C)."""
    rows = np.asarray(windows, dtype=np.float64)
    if channels is not None:
        rows = rows @ channels
    mean = rows.mean(axis=1, keepdims=True)
    centred = rows - mean
    variance = np.einsum("nwc,nwc->nc", centred, centred) / rows.shape[1] + VARIANCE_FLOOR
    scaled = centred / np.sqrt(variance)[:, None]
    # Autocorrelation about 0, the mean of training: ten bars' own mean would hide what is slow.
    power = np.einsum("nwc,nwc->nc", rows, rows) / rows.shape[1] + VARIANCE_FLOOR
    whole = rows / np.sqrt(power)[:, None]
    return mean[:, 0], 0.5 * np.log(variance), scaled, whole


def statistics_of(windows: NDArray[np.floating], channels: Array | None) -> Array:
    """Return the statistics and window means (N, P + C): of the products only those that count."""
    mean, logarithm, scaled, whole = _scaled_rows(windows, channels)
    (first, second), width = np.triu_indices(mean.shape[1], 1), windows.shape[1]
    correlations = (scaled.transpose(0, 2, 1) @ scaled)[:, first, second] / width
    shifted = [sums / whole[0].size for sums in _lagged(whole)]
    return np.column_stack([logarithm, correlations, *shifted, mean])


def _lagged(whole: Array) -> list[Array]:
    """Sum the products of rows (N, W, C) and those each lag before: (N,) for each."""
    return [
        np.einsum("nwc,nwc->n", whole[:, lag:], whole[:, :-lag]) for lag in lags(whole.shape[1])
    ]


def lags(window_size: int) -> list[int]:
    """Return the lags of :data:`LAGS` that a window has."""
    return [lag for lag in LAGS if lag < window_size]


def statistics_matrix(window_size: int, n_channels: int) -> Array:
    """Return the matrix that picks the S statistics from what :func:`raw_statistics` returns.

    Log deviation of each channel, correlation of each pair, and the autocorrelation at each lag,
    the mean over channels.
    """
    pairs = np.triu_indices(n_channels, 1)
    products = np.zeros((n_channels, n_channels, len(pairs[0])))
    products[(*pairs, np.arange(len(pairs[0])))] = 1.0 / window_size
    if window_size <= MOST_PRODUCTS:
        shifts = np.stack([np.eye(window_size, k=lag) for lag in lags(window_size)], axis=2)
        shifts = shifts.reshape(window_size**2, -1)
    else:
        shifts = np.eye(len(lags(window_size)))
    blocks = [
        np.eye(n_channels),
        products.reshape(n_channels**2, -1),
        shifts / (window_size * n_channels),
    ]
    return linalg.block_diag(*blocks)
