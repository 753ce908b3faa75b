"""The series, and the windows of the walk over each."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pandas as pd

from regimetry.backtest.bars import Bars
from regimetry.backtest.options import WalkForwardOptions
from regimetry.series.samples import market_sample


@dataclass(frozen=True)
class Market:
    """A series of daily closes.

    Attributes
    ----------
    title : str
    load : callable
        Returns the closes by day, or ``None`` where the file is not there.
    train : int
        Bars that each fit sees.
    """

    title: str
    load: Callable[[], pd.Series | None]
    train: int = 2520


def _file(*parts: str, close: str, date: str) -> pd.Series | None:
    path = Path(os.environ.get("REGIMETRY_DATA", "data"), *parts)
    if not path.exists():
        return None
    frame = pd.read_csv(path, usecols=[date, close], parse_dates=[date], index_col=date)
    return frame[close].dropna()


MARKETS = {
    "sp500": Market("S&P 500, 1999 to 2018", lambda: market_sample("sp500")["close"]),
    "nasdaq": Market("NASDAQ Composite, 1999 to 2018", lambda: market_sample("nasdaq")["close"]),
    "ndx": Market(
        "NASDAQ 100, 1985 to 2024",
        lambda: _file("nasdaq100", "NDX.csv", close="close", date="date"),
    ),
    "eurusd": Market(
        "EUR/USD, 2018 to 2025",
        lambda: _file("eurusd", "EUR_USD_processed_signals.csv", close="Close", date="Date"),
        train=1260,
    ),
}


@cache
def bars_of(market: str) -> Bars | None:
    """Return the rows of a market; ``None`` where its file is not there."""
    close = MARKETS[market].load()
    if close is None:
        return None
    index = close.index.tz_localize(None) if close.index.tz is not None else close.index
    return Bars.of(pd.DataFrame({"close": close.to_numpy(dtype=float)}, index=index), "close", None)


def options_of(market: str) -> WalkForwardOptions:
    """Return the windows of the walk; cost and delay are the package's defaults."""
    return WalkForwardOptions(train=MARKETS[market].train, refit=126)
