"""How many bars a window should have: the size at which windows predict the next ones best.

Windows of each size are clustered, and the label of a window is compared with that of the next one,
which begins where it ends and shares no bar with it. A window that is too short does not show its
regime, or shows only the phase of a cycle, which has changed by then. A long window covers parts of
two regimes. The agreement is highest in between, and uses nothing but the series.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.agreement import adjusted_rand, contingency
from regimetry.contract import WindowCandidate
from regimetry.regimes.clustering.clusters import cluster_centres, in_one_thread, nearest
from regimetry.regimes.clustering.sampling import stratified_rows
from regimetry.regimes.clustering.slow import fit_slow_directions, slow_dimension
from regimetry.regimes.clustering.spectral import fit_spectral_map

SIZES = (10, 20, 40, 80)
"""Sizes to choose from, in bars."""

LEAST_WINDOWS = 100
"""Windows side by side that the series must hold, for a size to be tried.

With fewer, slow directions are found in anything, and windows agree with the next ones by chance.
"""

CLOSE = 0.02
"""Agreement by which a larger window must be better than a smaller one, which knows sooner."""

_COUNTS = (2, 3, 4, 5)  # numbers of regimes that the agreement is the mean over
_STEPS = 5  # windows begin every fifth of their size, which it divides
_MOST_ROWS = 40_000  # the last of the series: enough, and embedding takes time
_LANDMARKS = 500

Embed = Callable[[int, int, int], NDArray[np.floating]]
"""Takes a size, a step and a number of rows; returns embeddings (N, D) of the windows of that
size that begin every step within the last so many rows."""


def largest_size(n_rows: int) -> int:
    """Return the largest of :data:`SIZES` for which a series of so many rows is long enough."""
    return max((size for size in SIZES if size * LEAST_WINDOWS <= n_rows), default=SIZES[0])


def assess_windows(embed: Embed, n_rows: int, *, seed: int) -> tuple[WindowCandidate, ...]:
    """Describe each size, and choose the smallest whose agreement is close to the best.

    Parameters
    ----------
    embed : callable
        Of the preprocessed training series.
    n_rows : int
        T.
    seed : int
        Of landmarks and k-means.

    Returns
    -------
    tuple of WindowCandidate
        A row for each of :data:`SIZES`, rising; one is chosen, and every other says why not.
    """
    tried = [size for size in SIZES if size <= largest_size(n_rows)]
    found = {}
    if len(tried) > 1:
        for size in tried:
            embeddings = embed(size, size // _STEPS, min(n_rows, _MOST_ROWS))
            found[size] = foretelling(embeddings, _STEPS, seed=seed)
    best = max(found.values(), default=0.0)
    chosen = min((size for size in found if found[size] >= best - CLOSE), default=SIZES[0])
    return tuple(
        WindowCandidate(
            window_size=size,
            agreement=found.get(size),
            chosen=size == chosen,
            refused=_objection_to_size(size, chosen, n_rows, tried=size in found),
        )
        for size in SIZES
    )


def _objection_to_size(size: int, chosen: int, n_rows: int, *, tried: bool) -> str | None:
    if size == chosen:
        return None
    if not tried:
        return f"{n_rows} rows hold fewer than {LEAST_WINDOWS} such windows side by side"
    rank = "better" if size < chosen else "as well, or better"
    return f"windows of {chosen} agree with the next ones {rank}"


@in_one_thread
def foretelling(embeddings: NDArray[np.floating], lag: int, *, seed: int) -> float:
    """Return how well the labels of windows agree with those of the next windows.

    Parameters
    ----------
    embeddings : ndarray of float, shape (N, D)
        Of windows in time order.
    lag : int
        Windows to the next one that shares no bar; below N.
    seed : int

    Returns
    -------
    float
        Adjusted Rand index, mean over 2 to 5 regimes: 1 where labels never change, about 0 where
        one window says nothing of the next.
    """
    slow = fit_slow_directions(embeddings, lag)
    directions = slow.projection(slow_dimension(max(_COUNTS)))
    every = (slow.whiten(embeddings) @ directions).astype(np.float32)  # enough to judge
    rows = stratified_rows(len(every), _LANDMARKS, np.random.default_rng(seed))
    agreements = []
    for count in _COUNTS:
        points = every[:, : slow_dimension(count)]
        spectral = fit_spectral_map(points[rows], count, count)
        coordinates = spectral.transform(points)
        centres = cluster_centres(coordinates[rows], count, seed=seed, starts=5)
        labels = nearest(coordinates, centres)
        agreements.append(adjusted_rand(contingency(labels[:-lag], labels[lag:], count, count)))
    return float(np.mean(agreements))
