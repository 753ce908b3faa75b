"""One configuration on one table: two fits, each scored on what it was not fitted on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regimetry.configuration import Configuration
from regimetry.configuration.prepare import detector_of, prepare
from regimetry.errors import DataError
from regimetry.runtime.model import RegimeModel
from regimetry.search.grid import most_read, rows_needed
from regimetry.search.scores import label_stability, log_likelihood, predictability, separation

if TYPE_CHECKING:
    import pandas as pd


def evaluate(configuration: Configuration, table: pd.DataFrame, horizon: int) -> dict[str, Any]:
    """Fit a configuration on each half of a table and score it.

    The second half's labels are causal, and the first ones, whose windows reach into the first
    half, count in no score of the second half. The model of the second half labels the first one
    for stability and separation alone: that looks ahead, and says how well a fit repeats, not what
    it would have earned.

    Parameters
    ----------
    configuration : Configuration
    table : pandas.DataFrame
        T rows in time order, with their times as the index.
    horizon : int
        Bars of :func:`~regimetry.search.scores.predictability`, the same in a whole search.

    Returns
    -------
    dict
        Plain data; see :mod:`regimetry.search.scores`. ``stability`` of the labels of all bars by
        the models of the two halves; ``separation``, the mean of the two models', each on the
        other's half; ``predictability`` of the second half's labels by the first half's model and
        Markov chain; ``log_likelihood``, the same over one bar, in nats per bar, not normalised;
        ``n_regimes`` of the two models: what was asked for, unless that was "auto".

    Raises
    ------
    DataError
        Too few rows for this window in a half, or a single regime in either fit.
    ConfigError, ExportError, ExportParityError
        As for :meth:`RegimeDetector.fit`.
    """
    prepared = prepare(configuration, table)
    data, cut = prepared.data, len(prepared.data) // 2
    _require_rows(cut, most_read(configuration, configuration.window_size, cut), horizon)
    halves = (data.iloc[:cut], data.iloc[cut:])
    models = [
        detector_of(configuration).fit(half, features=prepared.features).model_ for half in halves
    ]
    counts = (models[0].contract.n_regimes, models[1].contract.n_regimes)
    if min(counts) < 2:
        raise DataError("A half has a single regime, and one regime cannot be ranked.")
    labels = [_labels(model, data) for model in models]
    # Of the training half, and of the bars whose window lies beyond it.
    reach = models[0].contract.window_rows - 1
    past, future = (_there(part) for part in (labels[0][reach:cut], labels[0][cut + reach :]))
    separations = [_separation(models[i], halves[i], halves[1 - i]) for i in range(2)]
    return {
        "stability": label_stability(labels[0], labels[1], *counts),
        "separation": float(np.mean(separations)),
        "predictability": predictability(past, future, counts[0], horizon),
        "log_likelihood": log_likelihood(past, future, counts[0]),
        "n_regimes": list(counts),
    }


def _require_rows(half: int, read: int, horizon: int) -> None:
    needed = rows_needed(read, horizon)
    if half < needed:
        raise DataError(
            f"A half has {half} rows; {needed} are needed for windows that read {read} and labels "
            f"{max(horizon, read + 1)} bars apart. Give more rows or smaller windows."
        )


def _labels(model: RegimeModel, data: pd.DataFrame) -> NDArray[np.int64]:
    """Return the causal label of each bar, -1 where missing."""
    return np.asarray(model.predict(data).fillna(-1), dtype=np.int64)


def _there(labels: NDArray[np.int64]) -> NDArray[np.int64]:
    return labels[labels >= 0]


def _separation(model: RegimeModel, fitted: pd.DataFrame, other: pd.DataFrame) -> float:
    """Score a model's windows of the half it was not fitted on, in its slow directions."""
    from regimetry.regimes.clustering.head import middle
    from regimetry.regimes.clustering.slow import fit_slow_directions, slow_dimension

    contract = model.contract
    own, others = (
        middle(np.asarray(model.embed(half)), contract.halves) for half in (fitted, other)
    )
    slow = fit_slow_directions(own, contract.window_size, spread=contract.halves)
    points = slow.whiten(others) @ slow.projection(slow_dimension(contract.n_regimes))
    labels = _there(_labels(model, other))  # one for each window
    return separation(points, labels, contract.window_rows)
