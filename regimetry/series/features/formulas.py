"""The formulas: each column of a bar's features, from columns of prices and volumes.

Sums over a window are added bar by bar from the oldest, for all windows at once. A row's rounding
then depends on its own bars alone: a stream gives the same bits as a batch. Every result is shorter
than its input by the warm-up; its last row belongs to the last bar.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
"""One series (T,), or several beside each other (T, ...)."""


def log_return(price: Vector) -> Vector:
    """Return ln(P_t / P_{t-1}): a ratio, per bar.

    Warm-up: 1 bar. Source: the usual continuously compounded return (Campbell, Lo, MacKinlay
    1997, section 1.4).
    """
    logarithm = np.log(price)
    return logarithm[1:] - logarithm[:-1]


def realised_volatility(price: Vector, n: int) -> Vector:
    """Return sqrt(mean of the last n squared log returns): per square root of a bar.

    No mean is taken off: over few bars it is noise. Warm-up: n bars. Source: Andersen, Bollerslev,
    Diebold, Labys 2003, with bars for the returns within a day.
    """
    return np.sqrt(_rolling_sum(log_return(price) ** 2, n) / n)


def garman_klass_volatility(
    opening: Vector, high: Vector, low: Vector, close: Vector, n: int
) -> Vector:
    """Return sqrt(mean over n bars of ln(H/L)^2 / 2 - (2 ln 2 - 1) ln(C/O)^2).

    Per square root of a bar. The volatility within bars: what happens between a close and the next
    open is not in it, but in the realised one. Warm-up: n - 1 bars. Source: Garman, Klass 1980.
    """
    variance = 0.5 * np.log(high / low) ** 2
    variance -= (2 * np.log(2) - 1) * np.log(close / opening) ** 2
    # Below 0 only where a price lies outside of its range by rounding.
    return np.sqrt(np.maximum(_rolling_sum(variance, n) / n, 0.0))


def price_range(high: Vector, low: Vector) -> Vector:
    """Return ln(H_t / L_t): a ratio, per bar.

    Warm-up: none. Source: the range of Parkinson 1980, of one bar.
    """
    return np.log(high / low)


def volume_zscore(volume: Vector, n: int) -> Vector:
    """Return (ln V_t - mean) / deviation over the n bars that end with t: in deviations.

    Within sqrt(n - 1) of 0, and 0 where the volume did not change. Warm-up: n - 1 bars. Source:
    volume is compared in logarithms with its own recent mean as in Campbell, Grossman, Wang 1993.
    """
    logarithm = np.log(volume)
    rows = len(logarithm) - n + 1
    now = logarithm[n - 1 :]
    zeros = np.zeros_like(now)
    # Measured from the newest bar, so that a constant volume deviates by exactly 0.
    deviations = [logarithm[lag : lag + rows] - now for lag in range(n)]
    mean = sum(deviations, zeros) / n
    variance = sum(((deviation - mean) ** 2 for deviation in deviations), zeros) / n
    return np.divide(-mean, np.sqrt(variance), out=zeros.copy(), where=variance > 0)


def momentum(price: Vector, n: int) -> Vector:
    """Return ln(P_t / P_{t-n}): a ratio, per n bars.

    Warm-up: n bars. Source: Moskowitz, Ooi, Pedersen 2012 (time-series momentum).
    """
    logarithm = np.log(price)
    return logarithm[n:] - logarithm[:-n]


def drawdown(price: Vector, n: int) -> Vector:
    """Return P_t over the highest of the last n prices, less 1: a fraction, 0 or below.

    The highest of n bars, not of all history: the feature of a bar then does not depend on where
    the series begins. Warm-up: n - 1 bars. Source: Magdon-Ismail, Atiya 2004, within a window.
    """
    rows = len(price) - n + 1
    highest = price[n - 1 :].copy()
    for lag in range(n - 1):
        np.maximum(highest, price[lag : lag + rows], out=highest)
    return price[n - 1 :] / highest - 1.0


def _rolling_sum(values: Vector, n: int) -> Vector:
    rows = len(values) - n + 1
    total = values[:rows].copy()
    for lag in range(1, n):
        total += values[lag : lag + rows]
    return total
