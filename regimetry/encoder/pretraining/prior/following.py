"""What approaches a target that jumps."""

from __future__ import annotations

from scipy.signal import lfilter

from regimetry.encoder.pretraining.prior.drawn import Values


def follow(target: Values, memory: float) -> Values:
    """Return (T, F) that goes 1 - memory of the way to its target (T, F) in each row."""
    start = memory * target[:1]
    values: Values = lfilter([1.0 - memory], [1.0, -memory], target, axis=0, zi=start)[0]
    return values
