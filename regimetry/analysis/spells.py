"""Spells: uninterrupted stretches of one label."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Spells(NamedTuple):
    """Spells in order of time; three arrays of the same length.

    Attributes
    ----------
    start : ndarray of int64
        First bar.
    length : ndarray of int64
        In bars.
    regime : ndarray of int64
    """

    start: NDArray[np.int64]
    length: NDArray[np.int64]
    regime: NDArray[np.int64]


def spells_of(labels: NDArray[np.integer]) -> Spells:
    """Cut labels into spells.

    Parameters
    ----------
    labels : ndarray of int, shape (T,)
        Negative where missing; missing bars end a spell and make none.

    Returns
    -------
    Spells
    """
    if len(labels) == 0:
        empty = np.empty(0, dtype=np.int64)
        return Spells(empty, empty, empty)
    starts = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))
    lengths = np.diff(np.append(starts, len(labels)))
    kept = labels[starts] >= 0
    return Spells(
        starts[kept].astype(np.int64),
        lengths[kept].astype(np.int64),
        labels[starts][kept].astype(np.int64),
    )
