"""Novelty that is measured in the same way for training rows and new rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Floats
from regimetry.errors import DataError

_BLOCK = 1024  # rows whose distances are held at once


def comparable_novelty(
    reference: NDArray[np.floating],
    recent: NDArray[np.floating],
    overlap: int,
    *,
    n_anchors: int = 2000,
) -> tuple[Floats, Floats]:
    """Return the distance of each row to the nearest reference row that shares no bar with it.

    A model's own novelty is measured against its training rows, so that a training row finds
    itself, or its neighbours in time, and looks less novel than any new row can. Here a reference
    row is kept from the anchors whose windows overlap its own.

    Parameters
    ----------
    reference : ndarray of float, shape (N, D)
        Embeddings in order of time.
    recent : ndarray of float, shape (M, D)
        Embeddings that share no bar with the reference.
    overlap : int
        Rows closer than this in time share bars: the window's rows.
    n_anchors : int
        Most reference rows that distances are measured to, evenly spaced.

    Returns
    -------
    reference, recent : ndarray of float64, shapes (N,) and (M,)
        Euclidean, each dimension in units of its deviation over the reference.

    Raises
    ------
    DataError
        The reference is too short for rows that do not overlap.
    """
    n = len(reference)
    if n < 2 * overlap + 1:
        raise DataError(
            f"The training data give {n} windows; drift needs at least {2 * overlap + 1} to "
            "compare windows that do not overlap. Give more history."
        )
    wide = np.asarray(reference, dtype=np.float64)
    mean, deviation = wide.mean(axis=0), wide.std(axis=0)
    scale = np.divide(1.0, deviation, out=np.zeros_like(deviation), where=deviation > 0)
    place = np.unique(np.linspace(0, n - 1, min(n_anchors, n)).astype(np.int64))
    anchors = (wide[place] - mean) * scale

    def nearest(rows: NDArray[np.floating], time: NDArray[np.int64] | None) -> Floats:
        result = np.empty(len(rows))
        for start in range(0, len(rows), _BLOCK):
            stop = start + _BLOCK
            part = (np.asarray(rows[start:stop], dtype=np.float64) - mean) * scale
            square = (part**2).sum(axis=1)[:, None] + (anchors**2).sum(axis=1)
            square -= 2.0 * part @ anchors.T
            if time is not None:
                square[np.abs(time[start:stop, None] - place) < overlap] = np.inf
            result[start:stop] = np.sqrt(np.maximum(square.min(axis=1), 0.0))
        return result

    return nearest(reference, np.arange(n)), nearest(recent, None)
