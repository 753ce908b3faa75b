"""Real and simulated series to try things on."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from regimetry.errors import ConfigError, InstallError
from regimetry.series.simulators import simulate

if TYPE_CHECKING:
    import pandas as pd

MARKETS = ("sp500", "nasdaq")


def market_sample(name: str, *, bars: bool = False) -> pd.DataFrame:
    """Return the daily history of an index, 1999 to 2018, as the arch package carries it.

    Parameters
    ----------
    name : {"sp500", "nasdaq"}
    bars : bool, default False
        Give the bars as they are: Open, High, Low, Close, Adj Close and Volume.

    Returns
    -------
    pandas.DataFrame
        5031 rows indexed by ``date``: ``close``, in index points, and ``range``, the logarithm of
        the day's high over its low (the range of Parkinson 1980).

    Raises
    ------
    ConfigError
        An unknown name.
    InstallError
        The extra ``samples`` is not installed.
    """
    if name not in MARKETS:
        raise ConfigError(f"The sample is {name!r}; it must be one of {', '.join(MARKETS)}.")
    try:
        import pandas as pd

        source = import_module(f"arch.data.{name}")
    except ImportError as error:
        raise InstallError(
            "arch, which carries the samples, is not installed. "
            "Run: pip install 'regimetry[samples]'."
        ) from error
    daily: pd.DataFrame = source.load()
    if bars:
        return daily.rename_axis("date")
    return pd.DataFrame(
        {"close": daily["Close"], "range": np.log(daily["High"] / daily["Low"])}
    ).rename_axis("date")


def simulated_sample(kind: str, seed: int, n_rows: int | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a simulated series and, apart from it, the state that made each bar.

    Parameters
    ----------
    kind, seed, n_rows
        As for :func:`regimetry.simulate`.

    Returns
    -------
    values, states : pandas.DataFrame
        The same T rows.
    """
    import pandas as pd

    simulation = simulate(kind, seed=seed, n_rows=n_rows)
    values = pd.DataFrame(simulation.values, columns=list(simulation.names))
    return values, pd.DataFrame({"state": simulation.states})
