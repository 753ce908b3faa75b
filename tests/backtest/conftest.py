import pandas as pd
import pytest
from walks import WALK, make_prices, small_detector

from regimetry.backtest import walk_forward


@pytest.fixture(scope="session")
def prices():
    return make_prices(1)


@pytest.fixture(scope="session")
def walked(prices):
    return walk_forward(prices, small_detector(), **WALK)


@pytest.fixture(scope="session")
def panel():
    """Two instruments, the second of which is listed later, in the order of time."""
    late = make_prices(2).iloc[40:]
    both = [make_prices(1).assign(symbol="b"), late.assign(symbol="a")]
    return pd.concat(both).sort_index(kind="stable")
