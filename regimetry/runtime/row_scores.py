"""What a density says of rows that came: log densities and their transforms."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from regimetry.runtime.chain import Array
from regimetry.runtime.row_model import RowModel
from regimetry.runtime.skewed import skewed_cdf


class Scored(NamedTuple):
    """A segment that holds a window.

    Attributes
    ----------
    rows : ndarray, shape (T, C)
        As :meth:`RowModel.rows` gives them.
    instrument : str or None
        Whose they are.
    """

    rows: Array
    instrument: str | None = None


def log_scores(
    model: RowModel, segments: Sequence[Scored], probability: Array | None = None
) -> Array:
    """Return the log density of each row that a window ends with, given all rows before it.

    Parameters
    ----------
    model : RowModel
    segments : sequence of Scored
    probability : ndarray, shape (N, K), or None
        Of each regime, given the windows up to each: where windows tell the regimes. ``None``
        takes the density's own filter.

    Returns
    -------
    ndarray, shape (N,)
        In nats, in the columns' own units.
    """
    found = [np.empty(0)]
    for segment, logs, _, weights in _weighted(model, segments, probability):
        unit = replace(model, instrument=segment.instrument).log_unit
        found.append(log_mixture(weights, logs[-len(weights) :]) - unit)
    return np.concatenate(found)


def transformed_scores(
    model: RowModel, segments: Sequence[Scored], probability: Array | None = None
) -> Array:
    """Return the probability integral transform of each row that a window ends with.

    Parameters as for :func:`log_scores`, of one column.

    Returns
    -------
    ndarray, shape (N,)
        The probability of a row at most as high, given all rows before it.
    """
    density, found = model.density, [np.empty(0)]
    for segment, _, scales, weights in _weighted(model, segments, probability):
        rows = segment.rows
        before = np.concatenate([density.begin[None], scales[:-1]])
        residuals = density.residuals(model.before(rows)[:-1], rows[density.order :])
        u = (residuals / np.sqrt(density.total(before)))[-len(weights) :, :, 0]
        below = skewed_cdf(u, float(density.skew[0]), density.freedom)
        found.append(np.sum(weights * below, axis=1))
    return np.concatenate(found)


def _weighted(
    model: RowModel, segments: Sequence[Scored], probability: Array | None
) -> Iterator[tuple[Scored, Array, Array, Array]]:
    """Yield segments with log densities, scales, and weights (N, K) before rows that count.

    Those are the rows that a window ends with.
    """
    skip, at = model.contract.window_rows - 1 - model.rows_before, 0
    for segment in segments:
        logs, scales = model.follow(segment.rows)
        count = len(logs) - skip
        if probability is None:
            known = np.vstack([model.first_weights, model.filter(logs)[:-1]])[skip:]
        else:
            known = np.vstack([model.first_weights, probability[at : at + count - 1]])
        at += count
        yield segment, logs, scales, known @ model.chain


def log_mixture(weights: Array, logs: Array) -> Array:
    """Return the logarithm (T,) of mixtures of densities with logarithms (T, K)."""
    top = logs.max(axis=1)
    total = np.sum(weights * np.exp(logs - top[:, None]), axis=1)
    return np.asarray(top + np.log(np.maximum(total, math.exp(-700))))
