"""How many channels a series has, and how many of them carry its processes."""

from __future__ import annotations

import numpy as np

from regimetry.encoder.pretraining.prior.chance import happens, pick

_NARROW = {1: 0.14, 2: 0.14, 3: 0.22, 4: 0.2, 5: 0.1, 6: 0.08, 7: 0.06, 8: 0.06}
WIDE = 0.2
NARROWEST_WIDE = 9


def draw_widths(generator: np.random.Generator, most_features: int) -> tuple[int, int]:
    """Return the channels of the processes and the most that the series may have.

    80 % of the series have at most 8 channels; the others 9 to ``most_features``, mostly made from
    fewer.
    """
    narrow = {n: share for n, share in _NARROW.items() if n <= most_features}
    n_core = pick(generator, narrow)
    if most_features < NARROWEST_WIDE or not happens(generator, WIDE):
        return n_core, min(max(_NARROW), most_features)
    n_all = int(generator.integers(NARROWEST_WIDE, most_features + 1))
    if happens(generator, 0.25):  # every channel has a process of its own
        return n_all, n_all
    return max(2, n_core), n_all
