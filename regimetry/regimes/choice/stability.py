"""Stability of a number of regimes: whether other stretches of the series give the same labels.

Spectral clustering is fitted again on a block bootstrap of the windows (circular blocks: Politis,
Romano 1992), and its labels of the same windows are compared with those of the first fit (the
resampling stability of Ben-Hur, Elisseeff, Guyon 2002). Blocks, not single windows, because
another history may lack a whole spell of a regime.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.agreement import adjusted_rand, contingency
from regimetry.regimes.clustering.clusters import cluster_centres, in_one_thread, nearest
from regimetry.regimes.clustering.sampling import Array, Draw, even_rows
from regimetry.regimes.clustering.spectral import fit_spectral_map

N_RESAMPLES = 10
_BLOCK = 10  # window sizes that a resampled block is long
N_LANDMARKS = 200
"""Landmarks of a resample: it shall be quick, and the labels do not need more."""


def windows_per_block(window_size: int, n_windows: int) -> int:
    """Return the windows of a resampled block: ten window sizes, at most a quarter of all."""
    return max(1, min(_BLOCK * window_size, n_windows // 4))


def circular_blocks(n_rows: int, block: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw rows as blocks of consecutive ones that may start anywhere and wrap around.

    Parameters
    ----------
    n_rows : int
        N, rows there are and rows to draw.
    block : int
        Length of a block, 1 to N.
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (N,)
    """
    starts = generator.integers(n_rows, size=-(-n_rows // block))
    rows: NDArray[np.int64] = (starts[:, None] + np.arange(block)) % n_rows
    return rows.ravel()[:n_rows]


@in_one_thread
def stability(
    points: Array,
    rows: NDArray[np.int64],
    labels: NDArray[np.integer],
    n_regimes: int,
    *,
    block: int,
    seed: int,
    draw: Draw = even_rows,
) -> NDArray[np.float64]:
    """Return the agreement of each resample's labels with those of the fit.

    Parameters
    ----------
    points : ndarray, shape (N, L)
        Windows in the slow directions, in time order.
    rows : ndarray of int64, shape (E,)
        Windows to compare on.
    labels : ndarray of int, shape (E,)
        Of those windows, by the fit on the whole series.
    n_regimes : int
        K.
    block : int
        Windows of a block.
    seed : int
    draw : callable
        What draws a resample's landmarks, as those of the fit were drawn.

    Returns
    -------
    ndarray of float64, shape (B,)
        Adjusted Rand index of each resample: 1 for the same regimes, about 0 for unrelated ones.
    """
    found = np.empty(N_RESAMPLES)
    for number in range(N_RESAMPLES):
        generator = np.random.default_rng((seed, number))
        resample = circular_blocks(len(points), block, generator)
        landmarks = draw(points, resample, N_LANDMARKS, generator)
        spectral = fit_spectral_map(points[landmarks], n_regimes, n_regimes)
        coordinates = spectral.transform(points[np.concatenate([landmarks, rows])])
        own, compared = np.split(coordinates, [len(landmarks)])
        centres = cluster_centres(own, n_regimes, seed=number, starts=3)
        again = nearest(compared, centres)
        found[number] = adjusted_rand(contingency(labels, again, n_regimes, n_regimes))
    return found
