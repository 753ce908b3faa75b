"""Regimes of a refit under the names of an earlier model, where they are the same regimes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.matching import best_matching
from regimetry.analysis.plain import plain

LEAST_OVERLAP = 0.4
"""Share of the bars of either regime that both must have, for the two to be one regime."""


@dataclass(frozen=True, kw_only=True)
class Alignment:
    """How the regimes of a refit stand to those of an earlier model.

    With K old and L new regimes. New regimes are numbered as the refit numbers them in the end:
    those that have an old counterpart in the old order, then the born ones in canonical order.

    Attributes
    ----------
    to : str
        Fingerprint of the earlier model's contract.
    over : {"shared", "all"}
        Bars that were compared: those that the earlier model was fitted on too, or, where the two
        fits share no bars or it cannot be told which, all of the refit's.
    bars : int
        Of them, that both models label.
    counts : ndarray of int64, shape (K, L)
        Bars by old (row) and new (column) regime.
    overlap : ndarray of float64, shape (K, L)
        Bars of both regimes over bars of either (Jaccard 1912).
    mapping : tuple of int
        The old regime that each new one is, -1 where it was born; length L.
    names : tuple of str
        Of the new regimes: the old one's, or the next free one.
    born : tuple of str
        Names of new regimes without an old one.
    dead : tuple of str
        Names of old regimes without a new one.
    retired : tuple of str
        Names that this and earlier refits gave up. They are not used again.
    looks : tuple of int
        Number of the colour and line of each new regime in reports: the old one's, or the first
        that no other has.
    """

    to: str
    over: str
    bars: int
    counts: NDArray[np.int64]
    overlap: NDArray[np.float64]
    mapping: tuple[int, ...]
    names: tuple[str, ...]
    born: tuple[str, ...]
    dead: tuple[str, ...]
    retired: tuple[str, ...]
    looks: tuple[int, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        data: dict[str, Any] = plain(self)
        return data


def overlaps(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return bars of both regimes over bars of either, from bars by pair; (K, L)."""
    either = counts.sum(axis=1, keepdims=True) + counts.sum(axis=0) - counts
    shared: NDArray[np.float64] = np.divide(
        counts, either, out=np.zeros(counts.shape), where=either > 0
    )
    return shared


def match_regimes(
    overlap: NDArray[np.float64], least_overlap: float = LEAST_OVERLAP
) -> NDArray[np.int64]:
    """Pair new with old regimes one to one, so that the overlaps add up to the most (Kuhn 1955).

    Parameters
    ----------
    overlap : ndarray, shape (K, L)
    least_overlap : float
        Pairs below do not count.

    Returns
    -------
    ndarray of int64, shape (L,)
        The old regime of each new one, or -1.
    """
    allowed = np.where(overlap >= least_overlap, overlap, 0.0)
    old = best_matching(allowed.T)
    return np.where((old >= 0) & (allowed[old, np.arange(len(old))] > 0), old, -1)


def align(
    old: NDArray[np.integer],
    new: NDArray[np.integer],
    old_names: Sequence[str],
    n_new: int,
    *,
    to: str = "",
    over: str = "all",
    retired: Iterable[str] = (),
    old_looks: Sequence[int] | None = None,
    least_overlap: float = LEAST_OVERLAP,
) -> tuple[Alignment, NDArray[np.intp]]:
    """Match the regimes of two labellings of the same bars, and number the new ones anew.

    Parameters
    ----------
    old, new : ndarray of int, shape (T,)
        Negative where missing.
    old_names : sequence of str
        Of the K old regimes.
    n_new : int
        L.
    to, over, retired
        See :class:`Alignment`.
    old_looks : sequence of int or None
        Of the K old regimes; ``None`` for 0, 1, ...
    least_overlap : float

    Returns
    -------
    alignment : Alignment
    order : ndarray of int, shape (L,)
        ``order[number] = number in new``.
    """
    both = (old >= 0) & (new >= 0)
    codes = old[both].astype(np.int64) * n_new + new[both]
    counts = np.bincount(codes, minlength=len(old_names) * n_new).reshape(-1, n_new)
    found = match_regimes(overlaps(counts), least_overlap)
    # Stable: born regimes keep the order that they came in.
    order = np.argsort(np.where(found >= 0, found, len(old_names)), kind="stable")
    mapping = found[order]
    dead = tuple(name for regime, name in enumerate(old_names) if regime not in mapping)
    fresh = _free_names([*old_names, *retired], int(np.sum(mapping < 0)))
    born = iter(fresh)
    looks = list(range(len(old_names)) if old_looks is None else old_looks)
    kept = [looks[regime] for regime in mapping if regime >= 0]
    free = (number for number in count() if number not in kept)
    names = tuple(next(born) if regime < 0 else old_names[regime] for regime in mapping)
    return Alignment(
        to=to,
        over=over,
        bars=int(both.sum()),
        counts=counts[:, order],
        overlap=overlaps(counts)[:, order],
        mapping=tuple(mapping.tolist()),
        names=names,
        born=tuple(fresh),
        dead=dead,
        retired=tuple(dict.fromkeys([*retired, *dead])),
        looks=tuple(next(free) if regime < 0 else looks[regime] for regime in mapping),
    ), order


def _free_names(used: Sequence[str], number: int) -> list[str]:
    """Return the next names ``regime_N`` with N above every number in use."""
    numbers = [int(found[1]) for name in used if (found := re.fullmatch(r"regime_(\d+)", name))]
    first = max([len(used) - 1, *numbers]) + 1
    return [f"regime_{first + step}" for step in range(number)]
