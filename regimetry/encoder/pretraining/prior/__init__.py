"""The prior of a prior-fitted encoder: drawn series with known states; numpy and scipy alone."""

from __future__ import annotations

from regimetry.encoder.pretraining.prior.aspects import ASPECTS
from regimetry.encoder.pretraining.prior.drawn import Drawn
from regimetry.encoder.pretraining.prior.series import REPEATS, draw_series

__all__ = ["ASPECTS", "REPEATS", "Drawn", "draw_series"]
