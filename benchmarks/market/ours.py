"""The package itself, with its defaults or with the pretrained encoder."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

import regimetry as rg
from benchmarks.market.answer import Answer, Density, by_labels
from regimetry.backtest.bars import Bars
from regimetry.backtest.model_density import describes_returns, model_density
from regimetry.errors import DataWarning


def regimetry(bars: Bars, known: NDArray[np.bool_], **parameters: Any) -> Answer:
    """Fit with window and number of regimes chosen; ``parameters`` are of the detector."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        model = rg.RegimeDetector(random_state=0, **parameters).fit(bars.frame[known]).model_
        probability = model.predict_proba(bars.frame).to_numpy(dtype=np.float64)
    answer = Answer({"labels": by_labels(bars, probability, known)}, probability)
    if not describes_returns(model, bars):
        return answer
    log = model_density(model, bars, answer.labels, probability, int(bars.time[~known].min()))
    own = Density(log, model.pit(bars.frame).to_numpy(dtype=np.float64))
    return replace(answer, densities={"own": own, **answer.densities})
