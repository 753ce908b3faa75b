"""What speaks for a labelling of windows: recognised at other times, lasting, tight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from regimetry.regimes.clustering.clusters import cluster_centres, distances
from regimetry.regimes.clustering.sampling import Array
from regimetry.regimes.evidence.correlation_ratio import correlation_ratio
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
    blocks = np.arange(len(white)) // block
    fold = blocks % min(_FOLDS, blocks[-1] + 1)
    told = _told(white, labels, fold, _RIDGE * block, apart)
    hits = np.bincount(labels[labels == told], minlength=n_regimes)
    both = np.bincount(labels, minlength=n_regimes) + np.bincount(told, minlength=n_regimes)
    return float((2.0 * hits / np.maximum(both, 1)).mean())


def told_within(white: Array, segment: NDArray[np.int64], block: int) -> NDArray[np.int64]:
    """Return the segment that the same classifier takes each window to be of, (N,).

    The folds are blocks cut inside every segment, so that it knows all of them.
    """
    places = np.arange(len(segment))
    begins = np.flatnonzero(np.diff(segment, prepend=-1))
    since = places - begins[np.searchsorted(begins, places, "right") - 1]
    return _told(white, segment, since // block % _FOLDS, _RIDGE * block, 0)


def _told(
    white: Array, labels: Labels, fold: NDArray[np.int64], ridge: float, apart: int
) -> NDArray[np.int64]:
    """Return the labels that a classifier gives each fold, fitted on what lies apart from it."""
    design, places = np.column_stack([white, np.ones(len(white))]), np.arange(len(white))
    count = int(labels.max()) + 1
    wanted, told = np.eye(count)[labels], np.zeros(len(white), np.int64)
    for number in range(int(fold.max()) + 1):
        tested = fold == number
        before = np.append(0, np.cumsum(tested))
        near = (
            before[np.minimum(places + apart + 1, len(white))]
            - before[np.maximum(places - apart, 0)]
        )
        train = np.flatnonzero(near == 0)
        if len(train) < 2:
            continue
        weight = 1.0 / np.maximum(np.bincount(labels[train], minlength=count), 1)[labels[train]]
        weighted = design[train] * (weight / weight.mean())[:, None]
        square = weighted.T @ design[train] + ridge * np.eye(design.shape[1])
        coefficients = np.linalg.solve(square, weighted.T @ wanted[train])
        told[tested] = (design[tested] @ coefficients).argmax(axis=1)
    return told


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


def steps(coordinates: Array, labels: Labels) -> float:
    """Return by how much steps between regimes explain windows better than a smooth curve does.

    The share of the variance that the regimes' means explain, less that of the first cosines over
    time, as many as the label has changes. What passes from one regime to the next, as a trend or
    a slow cycle does, follows the curve; what jumps does not.

    Parameters
    ----------
    coordinates : ndarray, shape (N, K)
        Windows in spectral coordinates, in time order; several series as one.
    labels : ndarray of int, shape (N,)
    """
    waves = fft.dct(np.asarray(coordinates, np.float64), axis=0, norm="ortho")
    power = np.einsum("nk,nk->n", waves, waves)[1:]  # the first is the mean
    changes = int(np.count_nonzero(np.diff(labels)))
    smooth = power[:changes].sum() / max(power.sum(), np.finfo(float).tiny)
    return correlation_ratio(coordinates, labels) - float(smooth)


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
