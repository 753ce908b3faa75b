"""Which channels set the regimes apart, by what a contract keeps of training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Floats
from regimetry.analysis.plain import plain
from regimetry.contract import RegimeSummary

_CONSTANT = 1e-3
"""Of a channel's deviation over all rows: what varies less inside a regime counts as this much."""

_MUCH = 100  # deviations: more is not told exactly


class Difference(NamedTuple):
    """How far a regime is from the nearest other one in a channel.

    Attributes
    ----------
    kind : {"shift", "spread"}
        Of the means, or of the deviations.
    channel : int
    size : float
        As in :class:`Apart`.
    place : int
        1 if the regime is above all others, -1 if below all, 0 between them.
    """

    kind: Literal["shift", "spread"]
    channel: int
    size: float
    place: int


@dataclass(frozen=True)
class Apart:
    """How far each channel sets the regimes apart, over the training rows.

    Channels are the F features as the encoder reads them before scaling. NaN of a channel that is
    constant, of a regime without a row, and of one alone.

    Attributes
    ----------
    explained : ndarray of float64, shape (F,)
        Share of the channel's variance that the regimes explain (eta squared: Pearson 1905).
    shift : ndarray of float64, shape (K, F)
        Between the mean of a regime and the nearest one of another, in deviations inside regimes
        (Cohen 1988).
    shift_place : ndarray of int64, shape (K, F)
        1 where that mean is above all others, -1 where below all, else 0.
    spread : ndarray of float64, shape (K, F)
        The same between the logarithms of deviations.
    spread_place : ndarray of int64, shape (K, F)
    """

    explained: Floats
    shift: Floats
    shift_place: NDArray[np.int64]
    spread: Floats
    spread_place: NDArray[np.int64]

    def ranked(self, regime: int) -> list[Difference]:
        """Return a regime's differences in all channels, the largest first."""
        kinds: tuple[Literal["shift", "spread"], ...] = ("shift", "spread")
        found = []
        for kind in kinds:
            sizes, places = getattr(self, kind)[regime], getattr(self, f"{kind}_place")[regime]
            found += [
                Difference(kind, channel, float(sizes[channel]), int(places[channel]))
                for channel in np.flatnonzero(np.isfinite(sizes)).tolist()
            ]
        return sorted(found, key=lambda one: -one.size)

    def words(self, regime: int, names: Sequence[str]) -> str:
        """Say by what a regime differs most from the nearest other; empty where by nothing."""
        if not (ranked := self.ranked(regime)):
            return ""
        kind, channel, size, place = ranked[0]
        if kind == "shift":
            where = {1: "above", -1: "below", 0: "from"}[place]
            much = f"{size:.1f}" if size < _MUCH else f"over {_MUCH}"
            return f"{names[channel]} {much} deviations {where} the next"
        if place:
            return f"deviation of {names[channel]} {np.exp(place * size):.2g} times the next"
        return f"deviation of {names[channel]} a factor {np.exp(size):.2g} from the next"

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
    deviation = np.array([one.deviation for one in regimes])
    mean = mean - (share * mean).sum(axis=0)  # so that squares do not cancel
    between, within = (share * mean**2).sum(axis=0), (share * deviation**2).sum(axis=0)
    total = np.sqrt(between + within)
    total[total == 0] = np.nan
    least = _CONSTANT * total
    present = np.where(share > 0, 1.0, np.nan)
    shift = _nearest(present * mean / np.maximum(np.sqrt(within), least))
    spread = _nearest(present * np.log(np.maximum(deviation, least)))
    return Apart(between / total**2, *shift, *spread)


def _nearest(values: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Return how far each row (K, F) is from the nearest other, and whether above or below all."""
    apart = values[:, None] - values
    own = np.eye(len(values), dtype=np.bool_)
    unknown = own[:, :, None] | np.isnan(apart)
    distance = np.where(unknown, np.inf, np.abs(apart)).min(axis=1)
    above, below = ((unknown | sign).all(axis=1) for sign in (apart > 0, apart < 0))
    place = np.where(above, 1, np.where(below, -1, 0)).astype(np.int64)
    return np.where(np.isinf(distance), np.nan, distance), place
