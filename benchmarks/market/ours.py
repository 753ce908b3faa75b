"""The package itself, with its defaults."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

import regimetry as rg
from benchmarks.market.answer import Answer, by_labels
from regimetry.backtest.bars import Bars
from regimetry.errors import DataWarning


def regimetry(bars: Bars, known: NDArray[np.bool_]) -> Answer:
    """Fit with window and number of regimes chosen."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        model = rg.RegimeDetector(random_state=0).fit(bars.frame[known]).model_
        probability = model.predict_proba(bars.frame).to_numpy(dtype=np.float64)
    return Answer({"labels": by_labels(bars, probability, known)}, probability)
