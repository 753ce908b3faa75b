"""Batches of a pretraining: some series of the prior, cut into windows of one size."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.pretraining.architecture import MOST_FEATURES, Geometry
from regimetry.encoder.pretraining.prior import REPEATS, draw_series
from regimetry.encoder.pretraining.slots import draw_slots

SIZES = (10, 16, 20, 40, 64, 80, 160)
"""Window sizes of the pretraining, in rows."""

SERIES = 4
"""Series of a batch."""

CHUNK = 4
"""Batches that are drawn together, so that series of alike width share one."""

_SHORT, _SHORT_FIRST = 64, 1000  # rows of a window at most, in so many chunks
_REPEATS_FIRST = 13_000  # chunk from which on states differ in details of a cycle too
_WIDTHS = (4, 8, MOST_FEATURES)  # to which the channels of a batch are filled up
_ROWS, _ROWS_OF_LARGEST = 2048, 4096
_TOKENS = 500  # of a series, about


@dataclass(frozen=True)
class Batch:
    """Series of one batch.

    Attributes
    ----------
    window_size : int
        W.
    rows : ndarray of float32, shape (G, T, F)
        Channels that a series lacks are 0, and no kernel reads them.
    slots : tuple of ndarray of float32, shape (G, C, 4, F)
        Of each group of kernels.
    windows : ndarray of int32, shape (G, N)
        Which windows are used: number i has the rows from ``reach + i * W`` on.
    states : ndarray of int32, shape (G, N, P)
        Of the middle row of each patch.
    support : ndarray of bool, shape (G, N)
        Windows of the first half.
    """

    window_size: int
    rows: NDArray[np.float32]
    slots: tuple[NDArray[np.float32], ...]
    windows: NDArray[np.int32]
    states: NDArray[np.int32]
    support: NDArray[np.bool_]


def sizes_of(number: int) -> tuple[int, ...]:
    """Return the window sizes that a chunk may have: short ones alone in the first thousand."""
    return tuple(size for size in SIZES if size <= _SHORT or number >= _SHORT_FIRST)


def draw_chunk(
    seed: int, number: int, sizes: tuple[int, ...], *, without: Collection[str] = ()
) -> list[Batch]:
    """Draw some batches; the same for the same seed and number, whatever was drawn before.

    Parameters
    ----------
    seed : int
    number : int
        Of the chunk, from 0.
    sizes : tuple of int
        Window sizes to choose from.
    without : collection of str
        Aspects that no series has.
    """
    generator = np.random.default_rng((seed, number))
    size = int(generator.choice(sizes))
    geometry = Geometry.of(size)
    n_rows = (_ROWS if size < 160 else _ROWS_OF_LARGEST) + geometry.reach
    repeats = REPEATS if number >= _REPEATS_FIRST else 0.0
    drawn = [
        draw_series(
            generator, n_rows, most_features=MOST_FEATURES, without=without, repeats=repeats
        )
        for _ in range(CHUNK * SERIES)
    ]
    drawn.sort(key=lambda series: series.rows.shape[1])
    return [
        _batch([(d.rows, d.states) for d in drawn[i : i + SERIES]], geometry, generator)
        for i in range(0, len(drawn), SERIES)
    ]


def _batch(
    series: list[tuple[NDArray[np.float32], NDArray[np.int64]]],
    geometry: Geometry,
    generator: np.random.Generator,
) -> Batch:
    size, patch, tokens = geometry.window_size, geometry.patch, geometry.tokens
    widest = max(rows.shape[1] for rows, _ in series)
    width = next(width for width in _WIDTHS if width >= widest)
    possible = (len(series[0][0]) - geometry.reach) // size
    count = min(possible, _TOKENS // tokens) // 2 * 2
    windows = np.stack([generator.permutation(possible)[:count] for _ in series])
    skipped = geometry.reach + size - patch * tokens
    places = skipped + windows[:, :, None] * size + patch * np.arange(tokens) + patch // 2
    rows = np.zeros((len(series), len(series[0][0]), width), np.float32)
    slots = []
    for number, (values, _) in enumerate(series):
        features = values.shape[1]
        rows[number, :, :features] = values
        drawn = draw_slots(features, generator)
        slots.append([np.pad(s, ((0, 0), (0, 0), (0, width - features))) for s in drawn])
    return Batch(
        window_size=size,
        rows=rows,
        slots=tuple(np.stack(group) for group in zip(*slots, strict=True)),
        windows=windows.astype(np.int32),
        states=np.stack([z[p] for (_, z), p in zip(series, places, strict=True)]).astype(np.int32),
        support=np.stack([generator.permutation(count) < count // 2 for _ in series]),
    )
