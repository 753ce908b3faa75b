"""What speaks for a labelling of windows: recognised at other times, lasting, tight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from regimetry.regimes.clustering.clusters import cluster_centres, distances
from regimetry.regimes.clustering.sampling import Array
from regimetry.windows import with_later

Labels = NDArray[np.integer]

_FOLDS = 5
_RIDGE = 1.0  # for each independent window
_LOOKED_AT = 600  # windows that are clustered
_STARTS = 2


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
    """Return the probability of the same label ``lag`` later or earlier, whichever is larger.

    Less what chance gives, mean over the windows: 1 where labels stay, about 0 where they say
    nothing of later ones. Phases of a cycle do not last, though one follows from another.
    """
    early = with_later(offsets, lag)
    now, later = labels[early], labels[early + lag]
    share = np.bincount(labels, minlength=n_regimes) / len(labels)
    stay = np.bincount(now[now == later], minlength=n_regimes)
    least = [np.maximum(np.bincount(some, minlength=n_regimes), 1) for some in (now, later)]
    kept = stay / np.minimum(*least)
    return float((share * (kept - share) / (1.0 - share + 1e-9)).sum())


def tightness(points: Array, surrogates: Sequence[Array], n_clusters: int, seed: int) -> float:
    """Return by how much better points form clusters than those of surrogate series do.

    In logarithms of the sum of squares within clusters, as a share of all.

    Parameters
    ----------
    points : ndarray, shape (N, L)
        Windows in the slow directions, in time order.
    surrogates : sequence of ndarray, shape (N, L)
        Windows of :func:`surrogate` series, in their own slow directions.
    n_clusters : int
    seed : int
    """
    own = _log_within(points, n_clusters, seed)
    return float(np.mean([_log_within(each, n_clusters, seed) for each in surrogates]) - own)


def surrogate(series: Array, generator: np.random.Generator) -> Array:
    """Return a linear Gaussian series (T, F) with the spectra and cross-spectra of another.

    Phases are random, the same for all columns (Theiler et al. 1992; Prichard, Theiler 1994).
    """
    rows = np.asarray(series, np.float64)
    spectrum = np.fft.rfft(rows - rows.mean(axis=0), axis=0)
    phases = generator.uniform(0.0, 2.0 * np.pi, len(spectrum))
    phases[0] = 0.0
    if len(rows) % 2 == 0:
        phases[-1] = 0.0
    turned = spectrum * np.exp(1j * phases)[:, None]
    return np.asarray(np.fft.irfft(turned, n=len(rows), axis=0))


def _log_within(points: Array, n_clusters: int, seed: int) -> float:
    some = points[:: max(1, len(points) // _LOOKED_AT)]
    centres = cluster_centres(some, n_clusters, seed=seed, starts=_STARTS)
    within = float((distances(some, centres).min(axis=1) ** 2).sum())
    total = float(((some - some.mean(axis=0)) ** 2).sum())
    return float(np.log(max(within, 1e-9 * total) / total)) if total > 0 else 0.0
