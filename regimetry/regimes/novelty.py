"""Novelty: how improbable a window's own statistics are under those of training.

    window -> per channel log deviation, correlations, autocorrelations -> mixture of Gaussians

The head tells regimes apart in directions in which the training data changed. A new state may
differ in any other direction, so novelty uses neither the head nor the encoder.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from regimetry.regimes.clustering.clusters import distinct_rows
from regimetry.regimes.clustering.sampling import balanced_rows, stratified_rows
from regimetry.regimes.clustering.slow import Array, by_block, fix_signs
from regimetry.regimes.memory import block_rows
from regimetry.regimes.mixture import fit_mixture
from regimetry.regimes.window_statistics import raw_statistics, statistics_matrix, statistics_of
from regimetry.runtime.recursion import running_mean
from regimetry.windows import Windows

MOST_CHANNELS = 8
"""Features beyond this many are first rotated to this many principal components."""

FALSE_ALARM_RATE = 0.05
"""Share of known bars that the threshold lets pass for novel."""

_LEAST_VARIANCE = 1e-8  # of such a component, of that of the first; less is rounding
_COMPONENTS = 6
_RIDGE = 0.02  # on the diagonal of each covariance, in squared deviations of the statistic
_MOST_FITTED = 10_000  # windows that the mixture is fitted on
_FOLDS = 5


@dataclass(frozen=True)
class NoveltyMap:
    """A fitted map of preprocessed windows (N, W, F) to novelty (N,).

    Attributes
    ----------
    channels : ndarray, shape (F, C), or None
        Rotation of the rows; ``None`` where every feature is a channel.
    middle : ndarray, shape (C + C * C + W * W,)
        Mean of the log deviations, products of channels and products of rows; subtracted first.
    reading : ndarray, shape (C + C * C + W * W, P)
        From those to z-scored statistics.
    whitening : ndarray, shape (P, Q * P)
        Of each of the Q components of the mixture, side by side.
    centres : ndarray, shape (Q * P,)
        Of the components, whitened; subtracted.
    peaks : ndarray, shape (Q,)
        Log of each component's highest density, less that of all of them together.
    low, high, level : ndarray, shape (C,)
        Range of the window means in training, and their deviation.
    unit : float
        Median over training before it was divided by.
    """

    channels: Array | None
    middle: Array
    reading: Array
    whitening: Array
    centres: Array
    peaks: Array
    low: Array
    high: Array
    level: Array
    unit: float

    def transform(self, windows: NDArray[np.floating]) -> Array:
        """Return the novelty (N,) of windows; the float64 twin of the exported graph.

        ``sqrt(-2 log(p / p_max) + e^2) / unit``, with the mixture's density p of the statistics,
        and e, by how many deviations the mean of a channel lies outside the range of training.
        """
        return by_block(self._transform, windows, windows.shape[1] ** 2 + len(self.centres))

    def _transform(self, windows: NDArray[np.floating]) -> Array:
        raw, mean = raw_statistics(windows, self.channels)
        whitened = (raw - self.middle) @ self.reading @ self.whitening - self.centres
        outside = np.maximum(self.low - mean, mean - self.high) / self.level
        return _surprise(whitened, self.peaks, outside) / self.unit


@dataclass(frozen=True)
class _Judge:
    """The same map on statistics that are there already, before it is divided by the unit.

    Attributes
    ----------
    average, deviation : ndarray, shape (P,)
        Of the statistics in training.
    whitening, centres, peaks, low, high, level : ndarray
        As in :class:`NoveltyMap`.
    """

    average: Array
    deviation: Array
    whitening: Array
    centres: Array
    peaks: Array
    low: Array
    high: Array
    level: Array

    def __call__(self, statistics: Array, mean: Array) -> Array:
        """Return the novelty (N,) of statistics (N, P) and window means (N, C)."""
        scaled = (statistics - self.average) / self.deviation
        outside = np.maximum(self.low - mean, mean - self.high) / self.level
        return _surprise(scaled @ self.whitening - self.centres, self.peaks, outside)


def _surprise(whitened: Array, peaks: Array, outside: Array) -> Array:
    """Return ``sqrt(-2 log(p / p_max) + e^2)``, (N,), of what every component whitens."""
    square = (whitened**2).reshape(len(whitened), len(peaks), -1).sum(axis=2)
    density = np.logaddexp.reduce(peaks - square / 2.0, axis=1)
    excess = np.maximum(outside.max(axis=1), 0.0)
    return np.asarray(np.sqrt(np.maximum(-2.0 * density, 0.0) + excess**2))


def fit_novelty(
    windows: NDArray[np.floating] | Windows, *, seed: int = 0
) -> tuple[NoveltyMap, float]:
    """Fit the map on the training windows, and the threshold of its running mean.

    Parameters
    ----------
    windows : ndarray of float, shape (N, W, F), or Windows
        Preprocessed, in time order, stride 1; a view will do.
    seed : int
        Of the mixture, and of the windows that it is fitted on where there are many.

    Returns
    -------
    NoveltyMap
    float
        The threshold: see :func:`threshold_of`; the novelty is that of :func:`out_of_fold`.
    """
    windows = Windows.of(windows)
    channels = _principal_channels(windows)
    n_channels = windows.shape[2] if channels is None else channels.shape[1]
    width = 4 * windows.shape[1] * n_channels
    # Threads would add up in the order in which they finish: one repeats.
    with threadpool_limits(1):
        both = windows.map(
            lambda series: by_block(lambda some: statistics_of(some, channels), series, width)
        )
        statistics, mean = np.split(both, [-n_channels], axis=1)
        rows = balanced_rows(windows.offsets, _MOST_FITTED, np.random.default_rng(seed))
        judge = _fit(statistics[rows], mean[rows], seed)
        median = float(np.median(judge(statistics[rows], mean[rows])))
        # Where most windows repeat others the typical one has no novelty: there the unit is 1.
        unit = median if median > 1e-3 else 1.0
        held_out = out_of_fold(statistics, mean, windows.shape[1], seed) / unit
        threshold = threshold_of(held_out, windows)
        middle = _middle(windows.take(rows), channels)
    return NoveltyMap(
        channels=channels,
        middle=middle,
        reading=statistics_matrix(windows.shape[1], n_channels) / judge.deviation,
        whitening=judge.whitening,
        centres=judge.centres,
        peaks=judge.peaks,
        low=judge.low,
        high=judge.high,
        level=judge.level,
        unit=unit,
    ), threshold


def out_of_fold(statistics: Array, mean: Array, width: int, seed: int) -> Array:
    """Return the novelty (N,) of every window by a map that has not seen it, before the unit.

    A map knows its own training windows, and every window shares bars with its neighbours. So the
    series is cut into five stretches, and each is judged by a map of the others less a window's
    length on either side.

    Parameters
    ----------
    statistics : ndarray, shape (N, P)
    mean : ndarray, shape (N, C)
        Of the windows.
    width : int
        W.
    seed : int
    """
    n = len(statistics)
    edges = np.linspace(0, n, _FOLDS + 1).astype(np.int64)
    if n < 2 * _FOLDS * width:  # too short to hold a stretch out
        edges = np.array([0, n])
    novelty = []
    for start, stop in itertools.pairwise(edges):
        outside = np.r_[: max(start - width, 0), min(stop + width, n) : n]
        kept = outside if len(outside) else np.arange(n)
        chosen = kept[stratified_rows(len(kept), _MOST_FITTED, np.random.default_rng(seed))]
        judge = _fit(statistics[chosen], mean[chosen], seed)
        novelty.append(judge(statistics[start:stop], mean[start:stop]))
    return np.concatenate(novelty)


def threshold_of(novelty: Array, windows: Windows) -> float:
    """Return what the running mean of the novelty of known windows exceeds on 5 % of bars."""
    mean = running_mean(novelty, 1.0 / windows.shape[1], windows.offsets)
    return float(np.quantile(mean, 1.0 - FALSE_ALARM_RATE))


def _middle(windows: NDArray[np.floating], channels: Array | None) -> Array:
    """Return the mean of the raw statistics of windows, a block at a time."""
    n, window_size = windows.shape[:2]
    size = block_rows(window_size**2)
    total = sum(
        raw_statistics(windows[start : start + size], channels)[0].sum(axis=0)
        for start in range(0, n, size)
    )
    return np.asarray(total / n)


def _principal_channels(windows: Windows) -> Array | None:
    if windows.shape[2] <= MOST_CHANNELS:
        return None
    rows = windows.map(lambda series: np.asarray(series[:, -1], dtype=np.float64))
    variance, vectors = np.linalg.eigh(np.cov(rows.T))
    kept = variance[-MOST_CHANNELS:] >= _LEAST_VARIANCE * variance[-1]
    return fix_signs(vectors[:, -MOST_CHANNELS:][:, kept][:, ::-1])


def _fit(statistics: Array, mean: Array, seed: int) -> _Judge:
    average, deviation = statistics.mean(axis=0), np.maximum(statistics.std(axis=0), 1e-3)
    scaled = (statistics - average) / deviation
    n, width = scaled.shape
    count = max(1, min(_COMPONENTS, n // (5 * width)))
    count = len(distinct_rows(scaled, count))
    mixture = fit_mixture(scaled, count, ridge=_RIDGE, seed=seed)
    roots = mixture.roots
    heights = np.log(mixture.weights) + np.log(np.einsum("qpp->qp", roots)).sum(axis=1)
    return _Judge(
        average=average,
        deviation=deviation,
        whitening=np.concatenate(list(roots), axis=1),
        centres=np.concatenate([m @ r for m, r in zip(mixture.means, roots, strict=True)]),
        peaks=heights - np.logaddexp.reduce(heights),
        low=mean.min(axis=0),
        high=mean.max(axis=0),
        level=np.maximum(mean.std(axis=0), 1e-3),
    )
