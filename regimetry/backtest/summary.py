"""A walk in a few figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from regimetry.analysis.labels import Floats
from regimetry.analysis.performance import performance
from regimetry.analysis.plain import plain
from regimetry.backtest.names import Named
from regimetry.backtest.refit import SCORES

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Traded:
    """What a position earned, after costs; a year has ``bars_per_year`` bars.

    Attributes
    ----------
    annual_return : float
        Compounded.
    volatility, sharpe : float
        Annualised; no risk-free rate. NaN where the gains do not vary.
    drawdown : float
        Deepest fall from a high, 0 to 1.
    turnover : float
        Position bought and sold in a year: 2 is in and out once. The first one is free.
    """

    annual_return: float
    volatility: float
    sharpe: float
    drawdown: float
    turnover: float


@dataclass(frozen=True)
class Stability:
    """Whether names mean the same after a refit.

    Attributes
    ----------
    kept, lowest : float
        Share of bars, labelled by two refits that follow each other, that both put in the regime
        of one name: mean over refits, and the lowest. NaN for one refit alone.
    born : int
        Regimes that a refit found and the one before did not have.
    """

    kept: float
    lowest: float
    born: int


@dataclass(frozen=True)
class LogScores:
    """Mean log density of a bar's log return given the bars before, in nats.

    Attributes
    ----------
    bars : int
        That all three have a density of.
    model : float
    one_t : float
        One Student t, fitted on training.
    ewma_t : float
        A Student t of 6 degrees of freedom around an exponentially weighted variance.
    """

    bars: int
    model: float
    one_t: float
    ewma_t: float


@dataclass(frozen=True)
class Summary:
    """The walk as a whole.

    Attributes
    ----------
    bars, refits, instruments : int
        Labelled bars count once for each instrument.
    rule, hold : Traded
        What the rule earned, and what holding earned over the same bars. Of many instruments, the
        mean of their gains at each time.
    share : dict of str to float
        Of the labelled bars, by regime.
    stability : Stability
    log_score : LogScores
    """

    bars: int
    refits: int
    instruments: int
    rule: Traded
    hold: Traded
    share: dict[str, float]
    stability: Stability
    log_score: LogScores

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; what is NaN is ``None``."""
        found: dict[str, Any] = plain(self)
        return found


def traded(gain: Floats, moved: Floats, bars_per_year: float) -> Traded:
    """Describe gains.

    Parameters
    ----------
    gain : ndarray of float64, shape (T,)
        Simple return after costs.
    moved : ndarray of float64, shape (T,)
        Size of the change of position before the bar.
    bars_per_year : float
    """
    found = performance(np.zeros(len(gain), np.int64), gain, 1, bars_per_year=bars_per_year)
    named = ("annual_return", "volatility", "sharpe", "drawdown")
    figures = {name: float(getattr(found, name)[0]) for name in named}
    return Traded(**figures, turnover=float(np.nanmean(moved)) * bars_per_year)


def log_scores(frame: pd.DataFrame) -> LogScores:
    """Average the log scores of the bars that have all of them."""
    scores = frame[list(SCORES)].to_numpy()
    whole = scores[np.isfinite(scores).all(axis=1)]
    means = whole.mean(axis=0) if len(whole) else np.full(len(SCORES), np.nan)
    return LogScores(len(whole), *map(float, means))


def stability(named: Sequence[Named]) -> Stability:
    """Summarise how well names were kept."""
    kept = np.array([one.kept for one in named[1:]])
    kept = kept[np.isfinite(kept)]
    mean, lowest = (float(kept.mean()), float(kept.min())) if len(kept) else (np.nan, np.nan)
    return Stability(mean, lowest, sum(one.born for one in named))
