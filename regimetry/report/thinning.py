"""Fewer points to draw, none of what stands out lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import Spells

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]

BUCKETS = 6000
"""Stretches that a figure tells apart: several times what a screen shows, so that one can zoom."""


def bucket_starts(n_rows: int, buckets: int) -> Rows:
    """Return the first row of each of ``buckets`` stretches of nearly equal length, at most T."""
    edges = np.linspace(0, n_rows, min(buckets, n_rows) + 1)[:-1]
    return edges.astype(np.int64)


def extreme_rows(values: NDArray[np.floating], buckets: int) -> Rows:
    """Choose rows that draw a line as all rows would.

    The first and last row, and of each bucket the rows of the smallest and the largest value, so
    that no extreme of any bucket is lost. A bucket without a value keeps its first row, which
    leaves the gap in the line.

    Parameters
    ----------
    values : ndarray of float, shape (T,)
        NaN where missing.
    buckets : int
        Stretches; at most two rows are kept of each.

    Returns
    -------
    ndarray of int64
        Rising. All T rows where T is at most ``2 * buckets``.
    """
    n_rows = len(values)
    if n_rows <= 2 * buckets:
        return np.arange(n_rows)
    starts = bucket_starts(n_rows, buckets)
    kept = [np.array([0, n_rows - 1])]
    for sign in (1.0, -1.0):
        # A missing value is never the extreme, unless all of the bucket is missing.
        cost = np.where(np.isnan(values), np.inf, sign * np.asarray(values, dtype=np.float64))
        lowest = np.minimum.reduceat(cost, starts)
        hits = np.flatnonzero(cost == np.repeat(lowest, np.diff(starts, append=n_rows)))
        first = np.searchsorted(hits, starts)
        kept.append(hits[first])
    return np.unique(np.concatenate(kept))


def bucket_means(values: NDArray[np.floating], buckets: int) -> tuple[Rows, Floats]:
    """Average the rows of each bucket, missing ones left out.

    Parameters
    ----------
    values : ndarray of float, shape (T, C)
        A row is missing as a whole: NaN throughout.
    buckets : int

    Returns
    -------
    rows : ndarray of int64, shape (B,)
        First row of each bucket; all T rows where T is at most ``buckets``.
    means : ndarray of float64, shape (B, C)
        NaN where the bucket has no value.
    """
    wide = np.asarray(values, dtype=np.float64)
    starts = bucket_starts(len(wide), buckets)
    present = ~np.isnan(wide[:, 0])
    count = np.add.reduceat(present.astype(np.float64), starts)[:, None]
    total = np.add.reduceat(np.where(present[:, None], wide, 0.0), starts, axis=0)
    missing = np.full(total.shape, np.nan)
    return starts, np.divide(total, count, out=missing, where=count > 0)


def drawn_spells(spells: Spells, n_rows: int, buckets: int) -> tuple[Rows, Rows, Rows]:
    """Join spells of one regime that no screen would show apart.

    Parameters
    ----------
    spells : Spells
    n_rows : int
        T.
    buckets : int
        Two spells of a regime with less than T / buckets bars between them become one.

    Returns
    -------
    regime, first, last : ndarray of int64
        Of each stretch that is left. Every spell lies in one of them, however short it is.
    """
    order = np.argsort(spells.regime, kind="stable")
    regime, first = spells.regime[order], spells.start[order]
    last = first + spells.length[order] - 1
    apart = np.ones(len(order), dtype=np.bool_)
    between = first[1:] - last[:-1] - 1
    apart[1:] = (regime[1:] != regime[:-1]) | (between >= max(1, n_rows // buckets))
    begins = np.flatnonzero(apart)
    ends = np.flatnonzero(np.roll(apart, -1))  # each before the next that stands apart
    return regime[begins], first[begins], last[ends]


def thinned_rows(labels: NDArray[np.integer], n_rows: int) -> Rows:
    """Choose about ``n_rows`` rows, spread over time within each label, and of each at least one.

    Parameters
    ----------
    labels : ndarray of int, shape (N,)
    n_rows : int

    Returns
    -------
    ndarray of int64
        Rising; all N rows where N is at most ``n_rows``.
    """
    if len(labels) <= n_rows:
        return np.arange(len(labels))
    chosen = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        count = max(1, round(n_rows * len(rows) / len(labels)))
        chosen.append(rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)])
    return np.sort(np.concatenate(chosen))
