"""Segments: where a series changes, and which of its segments are of one kind.

A profile as in ClaSP (Schaefer, Ermshaus, Leser 2021) splits the series top-down, on whitened
windows in the place of raw subsequences: every window votes with the median position of its nearest
neighbours, and a split is as good as those votes classify its two sides. Every level of that tree,
as it is and with the kinds that a classifier confuses joined, is a labelling of the series. States
that occur once are found by it, which no clustering by time tells from drift.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.contract import Candidate
from regimetry.regimes.choice.candidates import LEAST_WINDOWS, Sample, terms_of
from regimetry.regimes.choice.terms import told_within
from regimetry.regimes.clustering.clusters import in_one_thread
from regimetry.regimes.clustering.sampling import Array

Labels = NDArray[np.int64]

NEIGHBOURS = 5

LEAST_SPLIT = 0.65
"""Balanced accuracy of a split's votes: what splits one in a hundred series of one regime."""

_ZONE = 4  # times what a window reads: neighbours lie farther away in time
_PER_WINDOW = 5  # windows that begin within a window size
_MOST_WINDOWS = 1200
_MOST_SPLITS = 40
_MOST_KINDS = 12
_MOST_SEGMENTS = 20


@dataclass(frozen=True)
class Segments:
    """A labelling of rows by segments.

    Attributes
    ----------
    cuts : ndarray of int64, shape (S - 1,)
        First row of each segment but the first.
    kinds : ndarray of int64, shape (S,)
    """

    cuts: Labels
    kinds: Labels

    def labels(self, rows: NDArray[np.integer]) -> Labels:
        """Return the kind of each of these rows."""
        return self.kinds[np.searchsorted(self.cuts, rows, side="right")]


@in_one_thread
def segment_candidates(
    samples: Sequence[Sample],
    n_rows: int,
    surrogates: Sequence[Sequence[Sample]] = (),
    *,
    seed: int,
) -> Iterator[tuple[Candidate, Segments]]:
    """Yield every level of the tree of splits at every size, unmerged and merged.

    Parameters
    ----------
    samples : sequence of Sample
        Windows of each size, of one series.
    n_rows : int
        T.
    surrogates : sequence of sequence of Sample
        The same of each linear Gaussian series with the same spectrum: what wanders is split too,
        so that a split must be better than any of these at once.
    seed : int
        Of landmarks.
    """
    chance = [_best_split([_Scale(one) for one in likes], 0, n_rows)[0] for likes in surrogates]
    found = splits(samples, n_rows, max([LEAST_SPLIT, *chance]))
    levels = sorted({score for _, score in found}, reverse=True)
    trees = {tuple(sorted(row for row, score in found if score >= level)) for level in levels}
    for cuts in sorted(trees, key=len):
        if len(cuts) >= _MOST_SEGMENTS:
            continue
        for sample in samples:
            if n_rows >= LEAST_WINDOWS * sample.window_size:
                yield from _of_level(sample, np.array(cuts), n_rows, seed)


def _of_level(
    sample: Sample, cuts: Labels, n_rows: int, seed: int
) -> Iterator[tuple[Candidate, Segments]]:
    """Yield the labellings of one level at one size."""
    segment = np.searchsorted(cuts, sample.rows, side="right")
    if len(np.unique(segment)) <= len(cuts):
        return  # a segment without a window
    for kinds in _merged(sample, segment, len(cuts) + 1):
        count, labels = int(kinds.max()) + 1, kinds[segment]
        if count <= _MOST_KINDS:
            segments = Segments(cuts, kinds)
            yield (
                Candidate(
                    window_size=sample.window_size,
                    n_regimes=count,
                    windows=n_rows / sample.window_size,
                    segments=len(cuts) + 1,
                    **terms_of(sample, labels, count, seed),
                ),
                segments,
            )


def _merged(sample: Sample, segment: Labels, count: int) -> Iterator[Labels]:
    """Yield the kind of each segment: its own, then with the two most confused joined, to two."""
    kinds = np.arange(count)
    yield kinds
    if count == 2:
        return
    told = told_within(sample.white, segment, max(1, sample.lag // 2))
    while kinds.max() > 1:
        own, other = kinds[segment], kinds[told]
        confused = np.zeros((kinds.max() + 1,) * 2)
        np.add.at(confused, (own, other), 1.0)
        confused /= confused.sum(axis=1, keepdims=True)
        confused = np.maximum(confused, confused.T)
        np.fill_diagonal(confused, -1.0)
        kept, lost = sorted(np.unravel_index(confused.argmax(), confused.shape))
        kinds = np.where(kinds == lost, kept, kinds)
        kinds = np.unique(kinds, return_inverse=True)[1]
        yield kinds


def splits(
    samples: Sequence[Sample], n_rows: int, least: float = LEAST_SPLIT
) -> list[tuple[int, float]]:
    """Return the rows where a series changes, with scores; none exceeds the one it lies within.

    Parameters
    ----------
    samples : sequence of Sample
        Windows of each size, of one series.
    n_rows : int
        T.
    least : float
        Score of a split.
    """
    scales = [_Scale(sample) for sample in samples]
    found: list[tuple[int, float]] = []
    todo = [(0, n_rows, 1.0)]
    while todo and len(found) < _MOST_SPLITS:
        first, end, most = todo.pop(0)
        score, row = _best_split(scales, first, end)
        if score >= least:
            score = min(score, most)
            found.append((row, score))
            todo += [(first, row, score), (row, end, score)]
    return found


def _best_split(scales: Sequence[_Scale], first: int, end: int) -> tuple[float, int]:
    """Return score and row of the best split of these rows at any size; 0 if there is none."""
    tried = filter(None, (scale.best(first, end) for scale in scales))
    return max(tried, key=lambda one: one[0], default=(0.0, 0))


class _Scale:
    """Distances between windows of one size; those near in time are left out."""

    def __init__(self, sample: Sample) -> None:
        size, white = sample.window_size, sample.white
        every = max(1, round(size / _PER_WINDOW / sample.stride), -(-len(white) // _MOST_WINDOWS))
        points = white[::every].astype(np.float32)
        self.size, self.step, self.first = size, every * sample.stride, int(sample.rows[0])
        self.lag = max(1, round(size / self.step))
        self.near = _ZONE * -(-(size + sample.reach) // self.step)
        square, at = np.einsum("np,np->n", points, points), np.arange(len(points))
        self.apart = square[:, None] + square - 2.0 * points @ points.T
        self.apart[np.abs(at[:, None] - at) <= self.near] = np.inf

    def best(self, first: int, end: int) -> tuple[float, int] | None:
        """Return balanced accuracy and row of the best split of these rows, if they are enough.

        Counts are shrunk as if the windows of one window size were a single one.
        """
        half = self.size // 2
        low = max(0, -(-(first + half - self.first) // self.step))
        high = min(len(self.apart) - 1, (end - half - self.first) // self.step)
        count = high - low + 1
        if count < max(8 * self.lag, 2 * self.near + 8):
            return None
        apart = self.apart[low : high + 1, low : high + 1]
        nearest = np.sort(np.argpartition(apart, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS], axis=1)
        votes, own, place = nearest[:, NEIGHBOURS // 2], np.arange(count), np.arange(count + 1)
        left = _below(np.maximum(own, votes), count)
        right = count - _below(np.minimum(own, votes), count)
        score = 0.5 * (self._share(left, place) + self._share(right, count - place))
        edge = 2 * self.lag
        score[:edge] = score[count + 1 - edge :] = 0.0
        ties = np.flatnonzero(score >= score.max() - 1e-9)
        row = self.first + (low + int(ties[len(ties) // 2])) * self.step - self.step // 2
        return (float(score.max()), row) if first + self.size < row < end - self.size else None

    def _share(self, good: Labels, of: Labels) -> Array:
        windows = of / self.lag
        return np.asarray((good / np.maximum(of, 1) * windows + 1.0) / (windows + 2.0))


def _below(values: Labels, count: int) -> Labels:
    """Return how many values are below 0, 1, ... ``count``."""
    return np.append(0, np.cumsum(np.bincount(values, minlength=count)))[: count + 1]
