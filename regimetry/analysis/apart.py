"""Which channels set the regimes apart, by what a contract keeps of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regimetry.analysis.labels import Floats
from regimetry.analysis.plain import plain
from regimetry.contract import RegimeSummary


@dataclass(frozen=True)
class Apart:
    """How far each channel sets the regimes apart, over the training rows.

    Channels are the F features as the encoder reads them before scaling.

    Attributes
    ----------
    explained : ndarray of float64, shape (F,)
        Share of the channel's variance that the regimes explain (eta squared: Pearson 1905). NaN
        of a channel that is constant.
    shift : ndarray of float64, shape (K, F)
        Mean in a regime less that in all others, over the deviation inside the two (Cohen 1988).
        NaN of a regime that has no bar, or all.
    spread : ndarray of float64, shape (K, F)
        Logarithm of the deviation in a regime over that in all others; NaN as for ``shift``.
    """

    explained: Floats
    shift: Floats
    spread: Floats

    def ranked(self, regime: int) -> list[tuple[int, str, float]]:
        """Return a regime's differences, the largest first: channel, which field, and value."""
        found = [
            (channel, kind, float(value))
            for kind in ("shift", "spread")
            for channel, value in enumerate(getattr(self, kind)[regime])
            if np.isfinite(value)
        ]
        return sorted(found, key=lambda entry: -abs(entry[2]))

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        found: dict[str, Any] = plain(self)
        return found


def apart(regimes: Sequence[RegimeSummary]) -> Apart:
    """Measure how far each channel sets regimes apart.

    Parameters
    ----------
    regimes : sequence of RegimeSummary
        The K of a contract: shares, means and deviations over the training rows.

    Returns
    -------
    Apart
    """
    share = np.array([one.share for one in regimes])[:, None]
    mean = np.array([one.mean for one in regimes])
    variance = np.array([one.deviation for one in regimes]) ** 2
    mean = mean - (share * mean).sum(axis=0)  # so that squares do not cancel
    between, within = (share * mean**2).sum(axis=0), (share * variance).sum(axis=0)
    others = np.where(share < 1, 1 - share, np.nan)
    other_mean = -share * mean / others
    second = (between + within - share * (variance + mean**2)) / others
    other_variance = np.maximum(second - other_mean**2, 0.0)
    mean = np.where(share > 0, mean, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.sqrt(share * variance + others * other_variance)
        return Apart(
            explained=between / (between + within),
            shift=(mean - other_mean) / inside,
            spread=np.where(share > 0, 0.5 * np.log(variance / other_variance), np.nan),
        )
