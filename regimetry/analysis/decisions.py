"""The decision table: one row per bar, for a strategy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.dwell import expected_dwell
from regimetry.analysis.labels import Bools, Floats, Labels
from regimetry.analysis.spells import spells_of
from regimetry.errors import DataError

HORIZONS = (1, 5, 20)


def decision_table(
    labels: Labels,
    probability: Floats,
    novelty: NDArray[np.floating],
    matrix: Floats,
    *,
    breaks: Bools | None = None,
    horizons: tuple[int, ...] = HORIZONS,
) -> dict[str, NDArray[Any]]:
    """Put together what a strategy may know at each bar.

    Row t uses labels, probabilities and novelty up to t, and the matrix: where that is the
    model's, measured on training rows that lie before t, nothing looks ahead.

    Parameters
    ----------
    labels : ndarray of int, shape (T,)
        Negative where missing.
    probability : ndarray of float64, shape (T, K)
    novelty : ndarray of float, shape (T,)
    matrix : ndarray of float64, shape (K, K)
        Transition matrix for the forecasts.
    breaks : ndarray of bool, shape (T,), or None
        True where a bar does not follow the one before it; the age starts again.
    horizons : tuple of int
        Bars ahead.

    Returns
    -------
    dict of str to ndarray of shape (T,)
        ``regime`` (-1 where missing); ``probability`` of it; ``novelty``; ``age``, bars since it
        began, 1 at its first bar as far as seen; ``changed``, 1 at a change; ``expected_left``,
        expected bars until it is left; ``same_H``, probability that it holds (again) H bars on;
        ``p_K_H``, probability of regime K H bars on, from the filtered probabilities. NaN where
        the label is missing.
    """
    labels = np.asarray(labels, dtype=np.int64)
    if probability.shape != (len(labels), len(matrix)):
        raise DataError(
            f"The probabilities have shape {probability.shape}; {(len(labels), len(matrix))} is "
            "needed. They belong to another model or other bars."
        )
    present = labels >= 0
    spells = spells_of(labels, breaks)
    age = np.full(len(labels), np.nan)
    age[present] = np.flatnonzero(present) - np.repeat(spells.start, spells.length) + 1.0
    changed = np.zeros(len(labels))
    changed[spells.start[spells.entered]] = 1.0
    safe = np.where(present, labels, 0)

    def of_regime(values: Floats) -> Floats:
        return np.where(present, values[safe], np.nan)

    table: dict[str, NDArray[Any]] = {
        "regime": labels,
        "probability": np.where(present, probability[np.arange(len(labels)), safe], np.nan),
        "novelty": np.where(present, novelty, np.nan),
        "age": age,
        "changed": np.where(present, changed, np.nan),
        "expected_left": of_regime(expected_dwell(matrix)),
    }
    for horizon in horizons:
        power = np.linalg.matrix_power(matrix, horizon)
        table[f"same_{horizon}"] = of_regime(np.diag(power))
        ahead = np.where(present[:, None], probability @ power, np.nan)
        table |= {f"p_{regime}_{horizon}": ahead[:, regime] for regime in range(len(matrix))}
    return table
