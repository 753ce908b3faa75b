"""Bars of a made-up market."""

import numpy as np
import pandas as pd

from regimetry.series.features import BarColumns

COLUMNS = BarColumns("Open", "High", "Low", "Close", "Adj Close", "Volume")


def make_bars(n, seed=0):
    """Bars whose open, close and adjusted close differ, as (n, 6)."""
    generator = np.random.default_rng(seed)
    steps = generator.standard_normal((n, 5)) * 0.01
    path = 50 * np.exp(np.cumsum(steps.ravel())).reshape(n, 5)
    close = path[:, -1]
    adjusted = close * np.linspace(0.8, 1.0, n)
    volume = np.exp(10 + generator.standard_normal(n))
    return np.column_stack(
        [path[:, 0], path.max(axis=1), path.min(axis=1), close, adjusted, volume]
    )


def make_frame(n=80, **columns):
    return pd.DataFrame(make_bars(n), columns=list(COLUMNS.names)).assign(**columns)
