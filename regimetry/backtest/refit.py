"""One fit of the walk: what it says of its own bars, and of those after them."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Floats
from regimetry.backtest.bars import Bars
from regimetry.backtest.density import ewma_density, one_density
from regimetry.backtest.model_density import model_density
from regimetry.errors import DataError, DataWarning
from regimetry.runtime.labelling import MISSING

if TYPE_CHECKING:
    from regimetry.detector import RegimeDetector
    from regimetry.series.features import OhlcvFeatures

SCORES = ("log_score", "one_t", "ewma_t")
"""Log scores of a bar: the model's, one Student t's, a moving variance's."""


@dataclass(frozen=True)
class Refit:
    """What one model says of R rows, those it was fitted on first.

    Attributes
    ----------
    labels : ndarray of int64, shape (R,)
        Causal, -1 where missing.
    probability : ndarray of float64, shape (R, K)
        Filtered.
    scores : ndarray of float64, shape (R, 3)
        As :data:`SCORES`.
    names : ndarray of str, shape (K,)
        Of the regimes.
    window_size : int
        W, chosen or given.
    seconds : float
    """

    labels: NDArray[np.int64]
    probability: Floats
    scores: Floats
    names: NDArray[np.str_]
    window_size: int
    seconds: float


def fit_once(
    detector: RegimeDetector, bars: Bars, end: int, features: OhlcvFeatures | None
) -> Refit:
    """Fit on the rows before a time; label all rows, causally.

    Parameters
    ----------
    detector : RegimeDetector
        Unfitted; a copy of it is fitted.
    bars : Bars
        R rows.
    end : int
        Number of the time behind the last one to fit on.
    features : OhlcvFeatures or None
        As for the fit.

    Raises
    ------
    DataError
        The rows are too few for the fit, or cannot be used.
    """
    from sklearn.base import clone

    begun = time.perf_counter()
    known = bars.time < end
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # the same of every refit
        try:
            model = clone(detector).fit(bars.frame[known], by=bars.by, features=features).model_
        except DataError as error:
            raise DataError(
                f"The fit on {np.unique(bars.time[known]).size} bars is refused: {error} Where "
                "there are too few rows, give a larger train."
            ) from error
        found = model.label(bars.frame, by=bars.by)
    labels = found.regime.fillna(MISSING).to_numpy(dtype=np.int64)
    probability = found.probability.to_numpy(dtype=np.float64)
    scores = [
        model_density(model, bars, labels, probability, end),
        one_density(bars, known),
        ewma_density(bars, known),
    ]
    contract = model.contract
    return Refit(
        labels,
        probability,
        np.column_stack(scores),
        np.array([regime.name for regime in contract.regimes]),
        contract.window_size,
        round(time.perf_counter() - begun, 3),
    )


def as_arrays(refit: Refit) -> dict[str, NDArray[Any]]:
    """Return a refit as arrays by name."""
    return {name: np.asarray(value) for name, value in vars(refit).items()}


def of_arrays(arrays: Any) -> Refit:
    """Return the refit of arrays that :func:`as_arrays` made."""
    labels, probability, scores, names = (
        np.asarray(arrays[name]) for name in ("labels", "probability", "scores", "names")
    )
    window_size, seconds = int(arrays["window_size"]), float(arrays["seconds"])
    return Refit(labels, probability, scores, names, window_size, seconds)
