"""Window size and number of regimes of a fit, chosen before anything is fitted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from regimetry.contract import Candidate
from regimetry.fit.encoder import embed_series, encoder_reach
from regimetry.fit.options import FitOptions
from regimetry.regimes.choice.candidates import (
    COUNTS,
    SIZES,
    Sample,
    candidates_of,
    sizes_for,
    stride_for,
)
from regimetry.regimes.choice.rule import choose
from regimetry.windows import Windows

MOST_ROWS = 40_000
"""Rows that are looked at: of many instruments some, evenly; of a long one the last."""

Series = Sequence[NDArray[np.floating]]


@threadpool_limits.wrap(limits=1)
def choose_window(series: Series, options: FitOptions) -> tuple[Candidate, ...]:
    """Compare window sizes, and numbers of regimes unless one is given.

    The encoder is drawn anew for each size, and not trained.

    Parameters
    ----------
    series : sequence of ndarray, shape (T, F)
        Preprocessed training rows.
    options : FitOptions

    Returns
    -------
    tuple of Candidate
        One of them chosen.
    """
    untrained, some = replace(options, objective=None), looked_at(series)
    n_rows = sum(map(len, some))
    table: list[Candidate] = []
    for size in sizes_for(n_rows):
        stride, rows = stride_for(size, n_rows), size + encoder_reach(untrained, size)
        long = [part for part in some if len(part) > rows]
        embedded = embed_series(untrained, long, size, stride)
        table += _compared(embedded, size, stride, rows, n_rows, options)
    return _chosen(table, options, SIZES[0])


def choose_count(
    embeddings: NDArray[np.floating], windows: Windows, options: FitOptions
) -> tuple[Candidate, ...]:
    """Compare numbers of regimes for windows whose size is given.

    Parameters
    ----------
    embeddings : ndarray of float32, shape (N, D)
        Of all windows.
    windows : Windows, shape (N, R, F)
        What the encoder read.
    options : FitOptions

    Returns
    -------
    tuple of Candidate
        One of them chosen; the number that was given stands alone.
    """
    size, rows = int(options.window_size), windows.shape[1]
    parts = looked_at(np.split(embeddings, windows.offsets[1:-1]))
    n_rows = sum(len(part) + rows - 1 for part in parts)
    stride = stride_for(size, n_rows)
    table = _compared([part[::stride] for part in parts], size, stride, rows, n_rows, options)
    return _chosen(table, options, size)


def given(options: FitOptions) -> tuple[Candidate, ...]:
    """Return the table where window size and number of regimes are given: one row."""
    size, count = int(options.window_size), int(options.n_regimes)
    return (Candidate(window_size=size, n_regimes=count, chosen=True),)


def looked_at(series: Series) -> list[NDArray[np.floating]]:
    """Return about :data:`MOST_ROWS` rows: the longest series and every nth, each at its end."""
    every = max(1, round(sum(map(len, series)) / MOST_ROWS))
    by_length = sorted(series, key=len, reverse=True)
    return [part[-MOST_ROWS:] for part in by_length[::every]]


def _compared(
    embeddings: Series, size: int, stride: int, rows: int, n_rows: int, options: FitOptions
) -> Iterator[Candidate]:
    joined, offsets = np.concatenate(embeddings), np.cumsum([0, *map(len, embeddings)])
    sample = Sample(joined, offsets, size, stride, rows)
    counts = COUNTS if options.n_regimes == "auto" else (int(options.n_regimes),)
    yield from candidates_of(sample, n_rows, counts, seed=options.seed)


def _chosen(table: list[Candidate], options: FitOptions, size: int) -> tuple[Candidate, ...]:
    count = None if options.n_regimes == "auto" else int(options.n_regimes)
    return choose(table, window_size=size, n_regimes=count, min_dwell=options.min_dwell)
