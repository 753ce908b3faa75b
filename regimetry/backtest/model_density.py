"""A model's log density of a bar's return given the bars before it."""

from __future__ import annotations

from typing import Any

import numpy as np

from regimetry.analysis.labels import Floats, Labels
from regimetry.backtest.bars import Bars
from regimetry.backtest.density import label_mixture


def model_density(model: Any, bars: Bars, labels: Labels, probability: Floats, end: int) -> Floats:
    """Return the log density of each bar's log return, in nats, (R,): the one place that asks.

    The model's own, where that describes the log return of the price alone; otherwise that of its
    labels, :func:`label_mixture`.

    Parameters
    ----------
    model : RegimeModel
    bars : Bars
        R rows.
    labels : ndarray of int64, shape (R,)
    probability : ndarray of float64, shape (R, K)
        Causal ones of the model.
    end : int
        Number of the time behind the last one that was fitted on.
    """
    if describes_returns(model, bars):
        return np.asarray(model.log_score(bars.frame, by=bars.by), dtype=np.float64)
    return label_mixture(bars, labels, probability, bars.time < end).log_density()


def describes_returns(model: Any, bars: Bars) -> bool:
    """Say whether a model's density is one of the price's log return alone."""
    contract = model.contract
    if contract.density is None:
        return False
    read = [
        (contract.schema.feature_names[channel], contract.transforms[channel])
        for channel in contract.density.channels
    ]
    return read == [(bars.price_name, "log_difference")]
