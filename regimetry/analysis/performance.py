"""The returns of an instrument in each regime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis.labels import Bools, Floats, Labels
from regimetry.analysis.shown import Shown
from regimetry.analysis.spells import spells_of
from regimetry.errors import ConfigError, DataError

Timing = Literal["same", "next"]


@dataclass(frozen=True)
class Performance(Shown):
    """Performance of each regime; arrays of shape (K,), NaN where there are too few bars.

    Attributes
    ----------
    bars, spells : ndarray of int64
        Bars with a return, and stretches of them.
    mean : ndarray of float64
        Mean simple return of a bar.
    annual_return : ndarray of float64
        Compounded: ``exp(mean log return * bars_per_year) - 1``.
    volatility : ndarray of float64
        Standard deviation of simple returns (n - 1) times ``sqrt(bars_per_year)``.
    sharpe : ndarray of float64
        ``mean / deviation * sqrt(bars_per_year)``, without a risk-free rate (Sharpe 1994).
    hit_rate : ndarray of float64
        Share of bars with a return above 0.
    drawdown : ndarray of float64
        Deepest fall from a high, 0 to 1, of one who holds in this regime only: its bars chained.
    spell_drawdown : ndarray of float64
        Deepest fall from a high inside one spell, where the spell starts at 1.
    bars_per_year : float
        The annualisation factor.
    timing : {"same", "next"}
        Whether a bar's label is set against that bar's return, or the next bar's.
    """

    bars: NDArray[np.int64]
    spells: NDArray[np.int64]
    mean: Floats
    annual_return: Floats
    volatility: Floats
    sharpe: Floats
    hit_rate: Floats
    drawdown: Floats
    spell_drawdown: Floats
    bars_per_year: float
    timing: Timing


def simple_returns(price: NDArray[np.floating], breaks: Bools | None = None) -> Floats:
    """Return ``price_t / price_{t-1} - 1``, shape (T,).

    NaN for the first bar, next to a missing price, and where a break lies between.

    Raises
    ------
    DataError
        A price is 0 or less, or infinite.
    """
    values = np.asarray(price, dtype=np.float64)
    bad = ~(np.isnan(values) | ((values > 0) & np.isfinite(values)))
    if bad.any():
        row = int(np.argmax(bad))
        raise DataError(
            f"Row {row} of the price holds {values[row]}; prices must be positive. Name another "
            "column."
        )
    returns = np.full(len(values), np.nan)
    returns[1:] = values[1:] / values[:-1] - 1.0
    if breaks is not None:
        returns[np.asarray(breaks, dtype=np.bool_)] = np.nan
    return returns


def performance(
    labels: Labels,
    returns: Floats,
    n_regimes: int,
    *,
    bars_per_year: float,
    timing: Timing = "same",
    breaks: Bools | None = None,
) -> Performance:
    """Describe an instrument's returns in each regime.

    Parameters
    ----------
    labels : ndarray of int, shape (T,)
        Negative where missing.
    returns : ndarray of float64, shape (T,)
        Simple return earned over bar t; NaN where there is none.
    n_regimes : int
        K.
    bars_per_year : float
        252 for trading days, 12 for months.
    timing : {"same", "next"}
        "same" describes the regime: the label of bar t knows that bar's return, so nobody could
        earn it. "next" sets the label against the return of bar t + 1, which could be traded.
    breaks : ndarray of bool, shape (T,), or None
        True where a bar does not follow the one before it.

    Returns
    -------
    Performance
    """
    labels, returns = np.asarray(labels), np.asarray(returns, dtype=np.float64)
    if labels.shape != returns.shape:
        raise DataError(
            f"There are {len(labels)} labels and {len(returns)} returns; one of each per bar is "
            "needed."
        )
    if not bars_per_year > 0:
        raise ConfigError(f"bars_per_year is {bars_per_year}; it must be above 0.")
    held = labels
    if timing == "next":
        held = np.full_like(labels, -1)
        held[1:] = labels[:-1]
        if breaks is not None:
            held[np.asarray(breaks, dtype=np.bool_)] = -1
    held = np.where(np.isnan(returns), -1, held)
    spells = spells_of(held, breaks)
    counts = np.bincount(held[held >= 0], minlength=n_regimes)
    columns = np.full((7, n_regimes), np.nan)
    spell_of_bar = np.repeat(np.arange(len(spells.length)), spells.length)
    fall_of_bar = np.zeros(len(held))
    fall_of_bar[held >= 0] = _falls_in_spells(np.log1p(returns[held >= 0]), spell_of_bar)
    for regime in np.flatnonzero(counts):
        bars = held == regime
        columns[:, regime] = _of_bars(returns[bars], fall_of_bar[bars], bars_per_year)
    mean, annual, volatility, sharpe, hits, drawdown, spell_drawdown = columns
    return Performance(
        bars=counts,
        spells=np.bincount(spells.regime, minlength=n_regimes),
        mean=mean,
        annual_return=annual,
        volatility=volatility,
        sharpe=sharpe,
        hit_rate=hits,
        drawdown=drawdown,
        spell_drawdown=spell_drawdown,
        bars_per_year=bars_per_year,
        timing=timing,
    )


def performances(
    labels: Labels,
    price: NDArray[np.floating],
    n_regimes: int,
    *,
    bars_per_year: float,
    breaks: Bools | None = None,
) -> dict[str, Performance]:
    """Describe a price's returns in each regime by either timing; parameters are those above."""
    returns = simple_returns(price, breaks)
    timings: tuple[Timing, ...] = get_args(Timing)
    return {
        timing: performance(
            labels, returns, n_regimes, bars_per_year=bars_per_year, timing=timing, breaks=breaks
        )
        for timing in timings
    }


def _of_bars(returns: Floats, falls: Floats, bars_per_year: float) -> tuple[float, ...]:
    logs = np.log1p(returns)
    mean = float(returns.mean())
    deviation = float(returns.std(ddof=1)) if len(returns) > 1 else np.nan
    equity = np.concatenate([[0.0], np.cumsum(logs)])
    fall = (np.maximum.accumulate(equity) - equity).max()
    return (
        mean,
        float(np.expm1(logs.mean() * bars_per_year)),
        deviation * np.sqrt(bars_per_year),
        mean / deviation * np.sqrt(bars_per_year) if deviation > 0 else np.nan,
        float(np.mean(returns > 0)),
        float(-np.expm1(-fall)),
        float(-np.expm1(-falls.max())),
    )


def _falls_in_spells(logs: Floats, spell: NDArray[np.int64]) -> Floats:
    """Return how far each bar's log equity lies under its spell's high so far, start included.

    The running maximum restarts at every spell: it doubles its reach in each pass, which stays
    exact and needs log2 of the longest spell.
    """
    total = np.cumsum(logs)
    first = np.flatnonzero(np.diff(spell, prepend=-1))
    start = (total[first] - logs[first])[spell]
    high = np.maximum(total, start)
    longest = int(np.bincount(spell).max(initial=0))
    reach = 1
    while reach < longest:
        same = spell[reach:] == spell[:-reach]
        high[reach:] = np.where(same, np.maximum(high[reach:], high[:-reach]), high[reach:])
        reach *= 2
    return high - total
