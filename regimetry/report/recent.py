"""Which stretch is recent, and whether it still looks like the bars before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import Drift, comparable_novelty, detect_drift
from regimetry.contract import ModelContract
from regimetry.errors import DataError
from regimetry.report.axis import TimeAxis

LAST_SHARE = 0.2
"""Of the bars, which are the recent stretch where no bar lies behind training."""


@dataclass(frozen=True)
class RecentDrift:
    """A recent stretch against the bars before it.

    Attributes
    ----------
    drift : Drift
    training, recent : tuple of int
        First bar and the bar behind the last, of either stretch. The first windows of the recent
        stretch would hold bars of training: they are left out.
    after_training : bool
        Whether the stretch is what lies behind the model's training, or else the last bars of it.
    """

    drift: Drift
    training: tuple[int, int]
    recent: tuple[int, int]
    after_training: bool


def recent_drift(
    contract: ModelContract,
    axis: TimeAxis,
    labels: NDArray[np.int64],
    embedding: NDArray[np.floating],
    *,
    breaks: NDArray[np.bool_] | None = None,
    draws: int = 499,
) -> RecentDrift:
    """Compare what lies behind training with training, or the last fifth with the rest.

    Parameters
    ----------
    contract : ModelContract
        Its training's first and last time decide, where the bars have times.
    axis : TimeAxis, T bars
    labels : ndarray of int64, shape (T,)
        Causal, negative where missing.
    embedding : ndarray of float, shape (N, D)
        Of the windows of the N bars that have a label.
    breaks : ndarray of bool, shape (T,), or None
    draws : int
        Of the bootstrap.

    Raises
    ------
    DataError
        Too few bars on either side.
    """
    n_bars, rows = len(labels), contract.window_rows
    first, cut, after_training = _cut(contract, axis)
    start, at = cut + rows - 1, np.flatnonzero(labels >= 0)
    first = max(first, int(at[0]))
    if start >= n_bars:
        raise DataError(
            f"The recent stretch has {contract.counted(n_bars - cut)}; a window within it needs "
            f"{rows}."
        )
    if cut <= first:
        raise DataError(
            f"No {contract.unit} of training is among the data; there is nothing to compare with."
        )
    past, present = (at >= first) & (at < cut), at >= start
    found = comparable_novelty(embedding[past], embedding[present], rows)
    novelty = np.full(n_bars, np.nan)
    novelty[at[past]], novelty[at[present]] = found
    broken = np.zeros(n_bars, dtype=np.bool_) if breaks is None else breaks
    old, new = slice(first, cut), slice(start, n_bars)
    drift = detect_drift(
        labels[old],
        labels[new],
        contract.n_regimes,
        training_novelty=novelty[old],
        recent_novelty=novelty[new],
        training_breaks=broken[old],
        recent_breaks=broken[new],
        draws=draws,
    )
    return RecentDrift(drift, (first, cut), (start, n_bars), after_training)


def _cut(contract: ModelContract, axis: TimeAxis) -> tuple[int, int, bool]:
    """Return training's first bar, the recent stretch's first, and whether training ended there."""
    values, training = axis.values, contract.training
    start, end = axis.where(training.start), axis.where(training.end)
    if start is not None and end is not None and values[-1] > end:
        first, behind = np.searchsorted(values, start), np.searchsorted(values, end, side="right")
        return int(first), int(behind), True
    return 0, len(values) - int(len(values) * LAST_SHARE), False
