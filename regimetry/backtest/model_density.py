"""A model's log density of a bar's return given the bars before it."""

from __future__ import annotations

from typing import Any

import numpy as np

from regimetry.analysis.labels import Floats, Labels
from regimetry.backtest.bars import Bars
from regimetry.backtest.density import label_mixture


def model_density(model: Any, bars: Bars, labels: Labels, probability: Floats, end: int) -> Floats:
    """Return the log density of each bar's log return, in nats, (R,): the one place that asks.

    The model's own, where it reads the price alone and reads it as a log return, so that its
    density is one of returns; otherwise that of its labels, :func:`label_mixture`.

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
    contract = model.contract
    reads_returns = contract.transforms == ("log_difference",) and (
        contract.schema.feature_names == (bars.price_name,)
    )
    if reads_returns and hasattr(model, "log_score"):
        return np.asarray(model.log_score(bars.frame, by=bars.by), dtype=np.float64)
    return label_mixture(bars, labels, probability, bars.time < end).log_density()
