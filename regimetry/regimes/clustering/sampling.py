"""Which windows represent all: drawn evenly in time, or spread over the space."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from regimetry.regimes.clustering.seeding import plus_plus
from regimetry.windows import balanced_counts

Array = NDArray[np.floating]

Draw = Callable[[Array, NDArray[np.int64], int, np.random.Generator], NDArray[np.int64]]
"""Takes points (N, L), rows of them, how many to draw of these, and a generator; returns rows."""

_POOL = 10  # rows to draw each spread one from: enough, and fast


def stratified_rows(n_rows: int, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
    """Draw one row from each of ``count`` equal stretches of time; all rows if there are fewer.

    Even in time. Unlike a regular grid it cannot follow a period of the data.
    """
    if n_rows <= count:
        return np.arange(n_rows)
    edges = np.linspace(0, n_rows, count + 1)
    return np.floor(edges[:-1] + generator.random(count) * np.diff(edges)).astype(np.int64)


def balanced_rows(
    offsets: NDArray[np.int64], count: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw ``count`` rows of all series alike, of each as :func:`stratified_rows` does.

    Parameters
    ----------
    offsets : ndarray of int64, shape (I + 1,)
        Boundaries of series that lie one after the other.
    count : int
    generator : numpy.random.Generator
    """
    lengths = np.diff(offsets)
    counts = balanced_counts(lengths, count)
    parts = zip(offsets[:-1].tolist(), lengths.tolist(), counts.tolist(), strict=True)
    return np.concatenate([a + stratified_rows(n, each, generator) for a, n, each in parts])


def even_rows(
    points: Array, rows: NDArray[np.int64], count: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw of rows in time order as :func:`stratified_rows` does, whatever the points are."""
    return rows[stratified_rows(len(rows), count, generator)]


def spread_rows(
    points: Array, rows: NDArray[np.int64], count: int, generator: np.random.Generator
) -> NDArray[np.int64]:
    """Draw rows that cover the space: each far from those before it; all rows if there are fewer.

    By squared distance to the nearest one drawn, as k-means++ seeds (Arthur, Vassilvitskii 2007).
    Landmarks even in time lie where the series spends its time. They leave few for rare, wide
    states, and the cut then falls inside a common state.

    Parameters
    ----------
    points : ndarray, shape (N, L)
    rows : ndarray of int64, shape (E,)
        Which points to draw from, in time order; ten for each are looked at.
    count : int
    generator : numpy.random.Generator

    Returns
    -------
    ndarray of int64, shape (at most ``count``,)
        In the order of ``rows``; fewer where fewer points differ.
    """
    if len(rows) <= count:
        return rows
    some = rows[stratified_rows(len(rows), _POOL * count, generator)]
    return some[np.unique(plus_plus(points[some], count, generator)[0])]
