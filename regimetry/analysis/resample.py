"""Stretches that a labelled series could have had: a block bootstrap that respects regimes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Bools, Labels


class MatchedBlocks:
    """A stationary bootstrap whose blocks are joined where the labels would join them.

    Blocks start anywhere and have geometric lengths (Politis, Romano 1994). A new block starts at
    a bar whose *predecessor* has the label that the last block ended with (matched blocks:
    Carlstein, Do, Hall, Hesterberg, Künsch 1998), so that each join is a transition that the
    series has made. A plain bootstrap breaks spells at its joins, and then finds sticky labels
    less variable than they are. Blocks end where the series is interrupted; where no bar matches,
    the next block starts anywhere.

    Parameters
    ----------
    labels : ndarray of int64, shape (N,)
        None missing.
    joined : ndarray of bool, shape (N,)
        Whether each bar follows the one before it; False for the first.
    block : float
        Mean length of a block before it is cut short, in bars.
    """

    def __init__(self, labels: Labels, joined: Bools, block: float) -> None:
        self._labels = np.asarray(labels, dtype=np.int64)
        self._stop = 1.0 / max(block, 1.0)
        n = len(self._labels)
        ends = np.append(np.flatnonzero(~joined)[1:], n)
        self._room = np.repeat(ends, np.diff(np.append(0, ends))) - np.arange(n)
        after = np.flatnonzero(joined)
        before = self._labels[after - 1]
        order = np.argsort(before, kind="stable")
        self._successors = after[order] if len(after) else np.zeros(1, dtype=np.int64)
        self._counts = np.bincount(before, minlength=int(self._labels.max()) + 1)
        self._offsets = np.cumsum(self._counts) - self._counts

    def draw(self, n_draws: int, length: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Draw stretches.

        Parameters
        ----------
        n_draws : int
            B.
        length : int
            L, bars of each.
        generator : numpy.random.Generator

        Returns
        -------
        ndarray of int64, shape (B, L)
            Rows of the series.
        """
        n = len(self._labels)
        start = generator.integers(n, size=n_draws)
        filled = np.zeros(n_draws, dtype=np.int64)
        starts, lengths = [], []
        while (filled < length).any():
            size = np.minimum(generator.geometric(self._stop, n_draws), self._room[start])
            size = np.minimum(size, length - filled)
            starts.append(start)
            lengths.append(size)
            filled = filled + size
            label = self._labels[start + np.maximum(size, 1) - 1]
            anywhere = generator.integers(n, size=n_draws)
            choices = self._counts[label]
            pick = (generator.random(n_draws) * choices).astype(np.int64)
            place = np.minimum(self._offsets[label] + pick, len(self._successors) - 1)
            start = np.where(choices > 0, self._successors[place], anywhere)
        sizes = np.stack(lengths, axis=1).ravel()
        firsts = np.stack(starts, axis=1).ravel()
        within = np.arange(n_draws * length) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        rows: NDArray[np.int64] = (np.repeat(firsts, sizes) + within).reshape(n_draws, length)
        return rows
