"""What speaks for a labelling of windows: recognised at other times, lasting, tight."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.regimes.clustering.clusters import distances, lloyd
from regimetry.regimes.clustering.sampling import Array
from regimetry.regimes.clustering.seeding import plus_plus
from regimetry.windows import with_later

Labels = NDArray[np.integer]

MOST_CLUSTERS = 7
"""Clusters that :func:`tightness` knows; more are as tight as these."""

_FOLDS = 5
_RIDGE = 1.0  # for each independent window
_SURROGATES = 5
_LOOKED_AT = 1000  # windows that are clustered


def entropy(labels: Labels) -> float:
    """Return the entropy of the labels' shares in nats: 0 where all are the same."""
    share = np.bincount(labels) / len(labels)
    share = share[share > 0]
    return float(-(share * np.log(share)).sum())


def recognised(white: Array, labels: Labels, n_regimes: int, block: int, apart: int) -> float:
    """Return how well labels are told from windows by a classifier that was fitted at other times.

    Ridge regression on indicators, regimes weighted alike (Hoerl, Kennard 1970), in five folds of
    blocks of time. Regimes that are there once are told as well as those that recur: from the rest
    of their own spell.

    Parameters
    ----------
    white : ndarray, shape (N, P)
        Whitened windows in time order.
    labels : ndarray of int, shape (N,)
    n_regimes : int
        K.
    block : int
        Windows of a block.
    apart : int
        Windows on either side of a block that share rows with it, and are left out.

    Returns
    -------
    float
        Mean over the regimes of the F1 measure, 0 to 1.
    """
    n_windows = len(white)
    design = np.column_stack([white, np.ones(n_windows)])
    wanted = np.eye(n_regimes)[labels]
    blocks = np.arange(n_windows) // block
    n_folds = min(_FOLDS, int(blocks[-1]) + 1)
    told = np.zeros(n_windows, dtype=np.int64)
    for fold in range(n_folds):
        tested, train = np.flatnonzero(blocks % n_folds == fold), np.ones(n_windows, np.bool_)
        for first in np.unique(blocks[tested]) * block:
            train[max(0, first - apart) : first + block + apart] = False
        if train.sum() < 2:
            continue
        weight = 1.0 / np.maximum(np.bincount(labels[train], minlength=n_regimes), 1)
        each = weight[labels[train]]
        weighted = design[train] * (each / each.mean())[:, None]
        square = weighted.T @ design[train] + _RIDGE * block * np.eye(design.shape[1])
        told[tested] = (
            design[tested] @ np.linalg.solve(square, weighted.T @ wanted[train])
        ).argmax(1)
    hits = np.bincount(labels[labels == told], minlength=n_regimes)
    both = np.bincount(labels, minlength=n_regimes) + np.bincount(told, minlength=n_regimes)
    return float((2.0 * hits / np.maximum(both, 1)).mean())


def lasting(labels: Labels, n_regimes: int, lag: int, offsets: NDArray[np.int64]) -> float:
    """Return the worst regime's probability of the same label ``lag`` later or earlier.

    Less what chance gives: 1 where labels stay, about 0 where they say nothing of later ones.
    Phases of a cycle do not last, though one follows from another.
    """
    early = with_later(offsets, lag)
    now, later = labels[early], labels[early + lag]
    share = np.bincount(labels, minlength=n_regimes) / len(labels)
    stay = np.bincount(now[now == later], minlength=n_regimes)
    least = [np.maximum(np.bincount(some, minlength=n_regimes), 1) for some in (now, later)]
    kept = stay / np.minimum(*least)
    return float(((kept - share) / (1.0 - share + 1e-9)).min())


def tightness(points: Array, seed: int) -> NDArray[np.float64]:
    """Return by how much points form 1, 2, ... clusters better than a linear Gaussian process does.

    Logarithm of the sum of squares within clusters, against surrogates of the same spectra with
    random phases (Theiler et al. 1992), relative to one cluster.

    Parameters
    ----------
    points : ndarray, shape (N, L)
        Windows in a few slow directions, in time order.
    seed : int

    Returns
    -------
    ndarray of float64, shape (MOST_CLUSTERS,)
    """
    generator = np.random.default_rng(seed)
    thin = max(1, len(points) // _LOOKED_AT)
    own = _log_within(points[::thin], seed, starts=4)
    others = [
        _log_within(_surrogate(points, generator)[::thin], seed, 2) for _ in range(_SURROGATES)
    ]
    gain = np.mean(others, axis=0) - own
    return np.asarray(gain - gain[0])


def _surrogate(points: Array, generator: np.random.Generator) -> Array:
    """Return a copy with random phases, the same for all columns: cross-spectra stay."""
    spectrum = np.fft.rfft(points - points.mean(axis=0), axis=0)
    phases = generator.uniform(0.0, 2.0 * np.pi, len(spectrum))
    phases[0] = 0.0
    if len(points) % 2 == 0:
        phases[-1] = 0.0
    turned = spectrum * np.exp(1j * phases)[:, None]
    return np.asarray(np.fft.irfft(turned, n=len(points), axis=0))


def _log_within(points: Array, seed: int, starts: int) -> NDArray[np.float64]:
    """Return the logarithm of k-means' sum of squares for 1 to :data:`MOST_CLUSTERS` clusters."""
    generator = np.random.default_rng(seed)
    sums = [float(((points - points.mean(axis=0)) ** 2).sum())]
    for count in range(2, MOST_CLUSTERS + 1):
        seeds = points[plus_plus(points, min(count, len(points)), generator, starts)]
        centres, inertia = lloyd(points, seeds)
        best = centres[inertia.argmin()]
        sums.append(float((distances(points, best).min(axis=1) ** 2).sum()))
    return np.log(np.maximum(sums, 1e-9))
