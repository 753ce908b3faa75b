"""Regimes of a refit under the names of an earlier model, where they are the same regimes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import count
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.agreement import contingency
from regimetry.analysis.assignment import best_matching
from regimetry.contract import Alignment

LEAST_OVERLAP = 0.4
"""Share of the bars of either regime that both must have, for the two to be one regime."""


def overlaps(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return bars of both regimes over bars of either, from bars by pair; (K, L)."""
    either = counts.sum(axis=1, keepdims=True) + counts.sum(axis=0) - counts
    return np.divide(counts, either, out=np.zeros(counts.shape), where=either > 0)


def match_regimes(overlap: NDArray[np.float64]) -> NDArray[np.int64]:
    """Pair new with old regimes one to one, so that the overlaps add up to the most (Kuhn 1955).

    Parameters
    ----------
    overlap : ndarray, shape (K, L)
        Pairs below :data:`LEAST_OVERLAP` do not count.

    Returns
    -------
    ndarray of int64, shape (L,)
        The old regime of each new one, or -1.
    """
    allowed = np.where(overlap >= LEAST_OVERLAP, overlap, 0.0)
    old = best_matching(allowed.T)
    return np.where((old >= 0) & (allowed[old, np.arange(len(old))] > 0), old, -1)


def align(
    old: NDArray[np.integer],
    new: NDArray[np.integer],
    old_names: Sequence[str],
    n_new: int,
    *,
    to: str = "",
    over: Literal["shared", "all"] = "all",
    retired: Iterable[str] = (),
    old_looks: Sequence[int] | None = None,
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
        See :class:`~regimetry.contract.Alignment`.
    old_looks : sequence of int or None
        Of the K old regimes; ``None`` for 0, 1, ...

    Returns
    -------
    alignment : Alignment
    order : ndarray of int, shape (L,)
        ``order[number] = number in new``.
    """
    both = (old >= 0) & (new >= 0)
    counts = contingency(old[both], new[both], len(old_names), n_new)
    found = match_regimes(overlaps(counts))
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
        counts=tuple(map(tuple, counts[:, order].tolist())),
        overlap=tuple(map(tuple, overlaps(counts)[:, order].tolist())),
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
