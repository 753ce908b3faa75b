"""Small walks over made-up prices."""

import numpy as np
import pandas as pd
from encoders import FAST

import regimetry as rg

WALK = {"train": 300, "refit": 80}


def small_detector(**parameters):
    given = {"window_size": 10, "n_regimes": 2, "n_landmarks": 100, "random_state": 0}
    return rg.RegimeDetector(encoder=FAST, **{**given, **parameters})


def make_prices(seed, n=520):
    """A price with two states, and days."""
    returns = rg.simulate("s1", n_rows=n, seed=seed).values[:, 0]
    days = pd.bdate_range("2001-01-01", periods=n, name="date")
    return pd.DataFrame({"close": 100 * np.exp(np.cumsum(returns))}, index=days)
