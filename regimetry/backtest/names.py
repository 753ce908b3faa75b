"""Names that regimes keep from one refit to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.backtest.refit import Refit
from regimetry.regimes.alignment import align


@dataclass(frozen=True)
class Named:
    """The regimes of a refit under names that they keep.

    Attributes
    ----------
    names : tuple of str, length K
    kept : float
        Share of the bars that this refit and the one before label, both in the regime of one
        name; NaN for the first.
    born : int
        Regimes without a counterpart in the refit before.
    """

    names: tuple[str, ...]
    kept: float
    born: int


def named(refits: Sequence[Refit], rows: Sequence[NDArray[np.int64]]) -> list[Named]:
    """Name the regimes of every refit after those of the refit before.

    Two regimes are one where they hold the same bars, as :mod:`regimetry.regimes.alignment`
    says; the bars are those that both models label, and none lies behind the later fit.

    Parameters
    ----------
    refits : sequence of Refit
    rows : sequence of ndarray of int64, shape (R,)
        The walk's number of every row of each refit.
    """
    found: list[Named] = []
    retired: tuple[str, ...] = ()
    for number, refit in enumerate(refits):
        if not found:
            found.append(Named(tuple(refit.names.tolist()), np.nan, 0))
            continue
        last, names = refits[number - 1], found[-1].names
        _, old, new = np.intersect1d(
            rows[number - 1], rows[number], assume_unique=True, return_indices=True
        )
        before, after = last.labels[old], refit.labels[new]
        alignment, order = align(before, after, names, len(refit.names), retired=retired)
        retired = alignment.retired
        mine = np.empty(len(order), dtype=object)
        mine[order] = alignment.names
        both = (before >= 0) & (after >= 0)
        same = np.array(names, dtype=object)[before[both]] == mine[after[both]]
        kept = float(same.mean()) if both.any() else np.nan
        found.append(Named(tuple(mine), kept, len(alignment.born)))
    return found
