"""A bank of fixed convolutions: how often each kernel exceeds a threshold within a window.

After ROCKET and MiniRocket (Dempster, Petitjean, Webb 2020; Dempster, Schmidt, Webb 2021): kernels
of nine taps, three of them 2 and six -1, dilated by 1, 2, 4 and so on. A feature is the share of
the window's W positions at which a kernel's response exceeds a threshold. Responses are causal:
that of position p reads rows p - 8 d to p, so a window reads W rows and ``reach`` rows before them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

TAPS = 9
SHAPES = np.array(
    [[2.0 if tap in high else -1.0 for tap in range(TAPS)] for high in combinations(range(TAPS), 3)]
)
"""The 84 shapes of a kernel, (84, 9); the sum of each is 0."""

_DILATIONS = (1, 2, 4, 8, 16, 32)
_LEAST_KERNELS = 24  # of a dilation
_MOST_CHANNELS = 4  # that one kernel reads
_THRESHOLDS = 2  # of a kernel
_DECILES = np.arange(1, 10) / 10  # thresholds of a channel itself
_GAP = 1e-4  # in deviations of a response
_LEAST_GAP = 4e-6  # twice what rounding in float32 does to a response
_NEAR = 0.05  # of the responses, on either side of the quantile
_BLOCK = 1 << 14  # rows whose responses are computed together


@dataclass(frozen=True)
class Kernels:
    """Kernels of one dilation.

    Attributes
    ----------
    dilation : int
        d, rows between two taps.
    weights : ndarray of float32, shape (C, F, taps)
        The last tap reads the newest row.
    owners : ndarray of int64, shape (M,)
        Kernel of each threshold.
    thresholds : ndarray of float32, shape (M,)
    """

    dilation: int
    weights: NDArray[np.float32]
    owners: NDArray[np.int64]
    thresholds: NDArray[np.float32]

    @property
    def reach(self) -> int:
        """Rows before a position that its response reads."""
        return self.dilation * (self.weights.shape[2] - 1)

    def responses(self, rows: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the responses (C, T - reach) at the rows (T, F) from ``reach`` on.

        In the precision of the rows.
        """
        n_kernels, n_features, taps = self.weights.shape
        matrix = self.weights.transpose(0, 2, 1).reshape(n_kernels, taps * n_features)
        count = len(rows) - self.reach
        found = np.empty((n_kernels, count), rows.dtype)
        for first in range(0, count, _BLOCK):
            last = min(first + _BLOCK, count)
            shifted = [
                rows[first + t * self.dilation : last + t * self.dilation] for t in range(taps)
            ]
            stacked = np.concatenate(shifted, axis=1)
            found[:, first:last] = matrix.astype(rows.dtype) @ stacked.T
        return found


@dataclass(frozen=True)
class ConvolutionBank:
    """Kernels with their thresholds.

    Attributes
    ----------
    window_size : int
        W.
    n_features : int
        F.
    kernels : tuple of Kernels
        Those of each dilation, and one of a single tap for each channel, whose thresholds are its
        deciles.
    """

    window_size: int
    n_features: int
    kernels: tuple[Kernels, ...]

    @property
    def reach(self) -> int:
        """Rows before a window that it reads."""
        return max(group.reach for group in self.kernels)

    @property
    def size(self) -> int:
        """D: a share for each threshold, and the mean of each channel."""
        return sum(len(group.thresholds) for group in self.kernels) + self.n_features

    def embed(self, windows: NDArray[np.floating]) -> NDArray[np.float64]:
        """Embed windows (N, W + reach, F), slowly, by the formula in float64: (N, D).

        Every feature describes the last W rows of a window.
        """
        rows = np.asarray(windows, np.float64)
        size = self.window_size
        features = []
        for group in self.kernels:
            positions = np.arange(rows.shape[1] - size, rows.shape[1])
            taps = positions[:, None] - group.dilation * np.arange(group.weights.shape[2])[::-1]
            found = np.einsum("npkf,cfk->npc", rows[:, taps], group.weights.astype(np.float64))
            features.append((found[:, :, group.owners] > group.thresholds).mean(axis=1))
        return np.concatenate([*features, rows[:, -size:].mean(axis=1)], axis=1)

    def embed_series(self, rows: NDArray[np.floating], step: int = 1) -> NDArray[np.float32]:
        """Embed every ``step``-th window of a series (T, F), with each kernel once a row.

        Parameters
        ----------
        rows : ndarray of float, shape (T, F)
            Preprocessed; at least W + reach of them.
        step : int

        Returns
        -------
        ndarray of float32, shape (N, D)
            Row i is the window whose last row is ``W + reach - 1 + i * step``.
        """
        size, values = self.window_size, np.asarray(rows, np.float32)
        starts = np.arange(0, len(values) - self.reach - size + 1, step)
        result = np.empty((len(starts), self.size), np.float32)
        column = 0
        for group in self.kernels:
            found = group.responses(values)[:, self.reach - group.reach :]
            for owner, threshold in zip(group.owners, group.thresholds, strict=True):
                result[:, column] = _shares(found[owner] > threshold, starts, size)
                column += 1
        for channel in values[self.reach :].T:
            sums = np.concatenate([[0.0], np.cumsum(channel, dtype=np.float64)])
            result[:, column] = (sums[starts + size] - sums[starts]) / size
            column += 1
        return result


def _shares(above: NDArray[np.bool_], starts: NDArray[np.int64], size: int) -> NDArray[np.floating]:
    counts = np.concatenate([[0], np.cumsum(above, dtype=np.int32)])
    return np.asarray((counts[starts + size] - counts[starts]) / size)


def dilations(window_size: int) -> tuple[int, ...]:
    """Return the dilations of a bank: each kernel spans no more than the window, or nine rows."""
    return tuple(d for d in _DILATIONS if (TAPS - 1) * d <= max(window_size - 1, TAPS))


def reach(window_size: int) -> int:
    """Return how many rows before a window its bank reads."""
    return (TAPS - 1) * max(dilations(window_size))


def label_offset(window_size: int, reach: int) -> int:
    """Return how many rows before its last one the row lies that a window describes best.

    The middle of the positions, less what kernels lag behind on average: half of their span, which
    doubles from dilation to dilation, so that most have far less than ``reach``.
    """
    return window_size // 2 + reach // 4


def fit_bank(
    series: Sequence[NDArray[np.floating]], window_size: int, seed: int
) -> ConvolutionBank:
    """Draw the kernels, and set their thresholds by the responses to training rows.

    A kernel of several channels reads one to four of them, each with a sign. Its thresholds are
    two random quantiles, between the first and the last decile, of its responses.

    Parameters
    ----------
    series : sequence of ndarray of float, shape (T_i, F)
        Preprocessed training rows.
    window_size : int
        W. Banks of two sizes share the kernels of their common dilations.
    seed : int

    Returns
    -------
    ConvolutionBank
    """
    rows = [np.asarray(part, np.float32) for part in series]
    n_features = rows[0].shape[1]
    used = dilations(window_size)
    count = max(_LEAST_KERNELS, len(SHAPES) // len(used))
    groups = []
    for dilation in used:
        weights, quantiles = _drawn(dilation, n_features, seed)
        groups.append(_with_thresholds(rows, dilation, weights[:count], quantiles[:count]))
    itself = np.eye(n_features, dtype=np.float32)[:, :, None]
    deciles = np.tile(_DECILES, (n_features, 1))
    groups.append(_with_thresholds(rows, 1, itself, deciles))
    return ConvolutionBank(window_size, n_features, tuple(groups))


def _drawn(
    dilation: int, n_features: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Draw all kernels (84, F, 9) of a dilation, and the quantiles (84, 2) of their thresholds."""
    generator = np.random.default_rng((seed, dilation))
    shapes = SHAPES[generator.permutation(len(SHAPES))]
    signs = np.zeros((len(shapes), n_features))
    for row in signs:
        most = min(n_features, _MOST_CHANNELS)
        channels = generator.permutation(n_features)[: generator.integers(1, most + 1)]
        row[channels] = generator.choice([-1.0, 1.0], len(channels))
    if n_features == 1:
        signs[:] = 1.0  # a sign would only turn the share round
    quantiles = generator.uniform(_DECILES[0], _DECILES[-1], (len(shapes), _THRESHOLDS))
    return (signs[:, :, None] * shapes[:, None, :]).astype(np.float32), quantiles


def _with_thresholds(
    series: Sequence[NDArray[np.float32]],
    dilation: int,
    weights: NDArray[np.float32],
    quantiles: NDArray[np.float64],
) -> Kernels:
    """Give each kernel the thresholds at its quantiles (C, Q); equal ones count once."""
    bare = Kernels(dilation, weights, np.empty(0, np.int64), np.empty(0, np.float32))
    long = [part for part in series if len(part) > bare.reach]
    responses = np.concatenate([bare.responses(part) for part in long], axis=1)
    found = [
        (owner, threshold)
        for owner, (values, shares) in enumerate(zip(responses, quantiles, strict=True))
        for threshold in dict.fromkeys(thresholds_between(values, shares))
    ]
    owners, thresholds = zip(*found, strict=True)
    return Kernels(dilation, weights, np.array(owners), np.array(thresholds, np.float32))


def thresholds_between(
    values: NDArray[np.float32], shares: NDArray[np.float64]
) -> list[np.float32]:
    """Return the thresholds nearest to quantiles that no value comes close to.

    A threshold at a value that occurs, as on a channel of few levels, would leave it to rounding
    on which side that value lies. It lies in the middle of the gap nearest to the quantile that
    is wider than 1e-4 deviations. Where that one is more than a twentieth of the values away, as
    among very many, the widest gap up to there will do if rounding cannot close it.

    Parameters
    ----------
    values : ndarray of float32, shape (n,)
    shares : ndarray of float, shape (Q,)
        Quantiles, 0 to 1.

    Returns
    -------
    list of float32
        Q of them. Where no gap is wider than rounding, they lie above all values.
    """
    ordered = np.sort(values)
    gaps = np.append(np.diff(ordered), 0.0)
    wide = np.flatnonzero(gaps > max(_GAP * float(ordered.std(dtype=np.float64)), _LEAST_GAP))
    if not len(wide):
        return [ordered[-1] + np.float32(1)] * len(shares)
    near, found = int(_NEAR * len(ordered)) + 1, []
    for place in shares * (len(ordered) - 1) - 0.5:
        chosen = wide[np.argmin(np.abs(wide - place))]
        if abs(chosen - place) > near:
            first = max(0, int(place) - near)
            widest = first + int(np.argmax(gaps[first : int(place) + near]))
            chosen = widest if gaps[widest] > _LEAST_GAP else chosen
        found.append(np.float32((float(ordered[chosen]) + float(ordered[chosen + 1])) / 2))
    return found
