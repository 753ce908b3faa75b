"""What moved when a model was refitted: labels of the same bars, and statistics of each regime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from regimetry.analysis.labels import Floats, Labels
from regimetry.analysis.plain import plain
from regimetry.analysis.shown import Shown
from regimetry.contract import ModelContract, RegimeSummary


@dataclass(frozen=True)
class MovedRegime:
    """One regime, in the training of the earlier model and in that of the refit.

    Attributes
    ----------
    name : str
    share_before, share_now : float
        Of the labelled bars of either training.
    dwell_before, dwell_now : float
        Mean length of its spells, in bars.
    most_moved : str
        The feature whose mean moved the most.
    shift : float
        By how much, in deviations of that feature in this regime before; signed.
    deviation_ratio : float
        Deviation of that feature now over before.
    """

    name: str
    share_before: float
    share_now: float
    dwell_before: float
    dwell_now: float
    most_moved: str
    shift: float
    deviation_ratio: float


@dataclass(frozen=True)
class Moved(Shown):
    """What moved between an earlier model and its refit.

    Attributes
    ----------
    bars : int
        With a causal label by both models.
    changed : float
        Share of them with another regime than before.
    regimes : tuple of MovedRegime
        Those that go on.
    born, dead : tuple of str
        Names of regimes that only one of the two has.
    """

    bars: int
    changed: float
    regimes: tuple[MovedRegime, ...]
    born: tuple[str, ...]
    dead: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return dict(plain(self))


def moved(before: ModelContract, now: ModelContract, old: Labels, new: Labels) -> Moved:
    """Compare two models of the same columns, the second aligned to the first.

    Parameters
    ----------
    before, now : ModelContract
    old, new : ndarray of int, shape (T,)
        Causal labels of the same bars by either model, negative where missing.

    Returns
    -------
    Moved
    """
    names = [regime.name for regime in before.regimes], [regime.name for regime in now.regimes]
    both = (old >= 0) & (new >= 0)
    changed = np.array(names[0])[old[both]] != np.array(names[1])[new[both]]
    earlier = {regime.name: regime for regime in before.regimes}
    return Moved(
        bars=int(both.sum()),
        changed=float(changed.mean()) if both.any() else 0.0,
        regimes=tuple(
            _compared(earlier[regime.name], regime, now.schema.feature_names)
            for regime in now.regimes
            if regime.name in earlier
        ),
        born=tuple(name for name in names[1] if name not in names[0]),
        dead=tuple(name for name in names[0] if name not in names[1]),
    )


def _compared(before: RegimeSummary, now: RegimeSummary, features: tuple[str, ...]) -> MovedRegime:
    deviation = np.array(before.deviation)
    shift = _over(np.array(now.mean) - np.array(before.mean), deviation)
    most = int(np.abs(shift).argmax())
    return MovedRegime(
        name=now.name,
        share_before=before.share,
        share_now=now.share,
        dwell_before=before.mean_dwell,
        dwell_now=now.mean_dwell,
        most_moved=features[most],
        shift=float(shift[most]),
        deviation_ratio=float(_over(np.array(now.deviation), deviation)[most]),
    )


def _over(values: Floats, deviation: Floats) -> Floats:
    """Divide by deviations; what did not vary has none to compare with, and gives 0."""
    return np.divide(values, deviation, out=np.zeros_like(values), where=deviation > 0)
