"""Spells: uninterrupted stretches of one label."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Bools, Labels, follows


class Spells(NamedTuple):
    """Spells in order of time; arrays of the same length.

    Attributes
    ----------
    start : ndarray of int64
        First bar.
    length : ndarray of int64
        In bars.
    regime : ndarray of int64
    entered : ndarray of bool
        Whether the bar before has another label. False where the spell begins with the data, after
        a missing label or after a gap: it may have begun earlier.
    left : ndarray of bool
        Whether the bar behind has another label. False where the spell is cut off: it may last
        longer.
    """

    start: NDArray[np.int64]
    length: NDArray[np.int64]
    regime: NDArray[np.int64]
    entered: Bools
    left: Bools

    @property
    def complete(self) -> Bools:
        """Whether both ends were seen; otherwise the length is a lower bound."""
        return self.entered & self.left


def spells_of(labels: Labels, breaks: Bools | None = None) -> Spells:
    """Cut labels into spells.

    Parameters
    ----------
    labels : ndarray of int, shape (T,)
        Negative where missing; missing bars end a spell and make none.
    breaks : ndarray of bool, shape (T,), or None
        True where a bar does not follow the one before it; a spell ends there.

    Returns
    -------
    Spells
    """
    labels = np.asarray(labels)
    joined = follows(labels, breaks)
    begins = labels >= 0
    begins[1:] &= ~joined[1:] | (labels[1:] != labels[:-1])
    starts = np.flatnonzero(begins)
    ends = np.ones(len(labels), dtype=np.bool_)
    ends[:-1] = begins[1:] | (labels[1:] < 0)
    stops = np.flatnonzero(ends & (labels >= 0))
    after = np.minimum(stops + 1, max(len(labels) - 1, 0))
    return Spells(
        start=starts.astype(np.int64),
        length=(stops - starts + 1).astype(np.int64),
        regime=labels[starts].astype(np.int64),
        entered=joined[starts],
        left=joined[after] & (after > stops),
    )
