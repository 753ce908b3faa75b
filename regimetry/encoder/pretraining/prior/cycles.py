"""Long and nearly noiseless cycles: what a slow motion or a season looks like."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens
from regimetry.encoder.pretraining.prior.path import Path
from regimetry.encoder.pretraining.prior.regimes import Process, scale_and_shift
from regimetry.encoder.pretraining.prior.waveform import Ranges, draw_waveform

LONGEST_PERIOD = 400.0  # rows
SHORTEST_PERIOD = 50.0
NOISE = (0.003, 0.05)


def draw_cycles(
    generator: np.random.Generator, path: Path, n_features: int, allowed: frozenset[str]
) -> Process:
    """Return cycles of 50 to 400 rows, at most two thirds of the shortest stay; noise .003 to .05.

    In 30 % of the draws each the regimes also differ in level and in volatility.
    """
    longest = max(1.2 * SHORTEST_PERIOD, min(LONGEST_PERIOD, path.shortest_stay / 1.5))
    ranges = Ranges((SHORTEST_PERIOD, longest), NOISE)
    values = draw_waveform(generator, path, n_features, ranges)
    also = {name for name in ("level", "volatility") if name in allowed and happens(generator, 0.3)}
    differ = frozenset({"waveform"} | also)
    return scale_and_shift(generator, values, path, differ), differ
