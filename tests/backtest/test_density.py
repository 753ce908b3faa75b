"""Log scores: densities of the next return that know nothing of it."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import t
from walks import make_prices

from regimetry.backtest.bars import Bars
from regimetry.backtest.density import ewma_density, label_mixture, one_density
from regimetry.backtest.model_density import model_density


@pytest.fixture(scope="module")
def bars():
    return Bars.of(make_prices(3), "close", None)


@pytest.fixture(scope="module")
def known(bars):
    return bars.time < 400


def test_one_t_is_the_likelihood_of_its_fit(bars, known):
    returns = bars.log_returns
    seen = returns[1:400]
    expected = t.logpdf(returns, *t.fit(seen, floc=seen.mean()))
    found = one_density(bars, known)
    np.testing.assert_allclose(found[2:], expected[2:], atol=2e-3)
    assert np.isnan(found[0])


def test_labels_that_tell_the_scale_score_better(bars, known):
    generator = np.random.default_rng(0)
    states = np.arange(520) // 130 % 2
    price = 100 * np.exp(np.cumsum(generator.standard_normal(520) * np.where(states, 0.03, 0.005)))
    made = Bars.of(pd.DataFrame({"close": price}), "close", None)
    told = label_mixture(made, states, np.eye(2)[states], known).log_density()
    wrong = label_mixture(made, states, np.eye(2)[1 - states], known).log_density()
    alone = one_density(made, known)
    after = slice(400, None)
    assert told[after].mean() > alone[after].mean() + 0.1
    assert wrong[after].mean() < alone[after].mean() - 0.1


def test_ewma_is_the_recursion(bars, known):
    returns = bars.log_returns
    mean, variance = returns[1:400].mean(), returns[1:400].var()
    found = ewma_density(bars, known)
    variance *= 0.94  # the first bar has no return
    for row in range(1, 30):
        scale = np.sqrt(variance * 4 / 6)
        assert found[row] == pytest.approx(t.logpdf(returns[row], 6, mean, scale), abs=1e-6)
        variance = 0.94 * variance + 0.06 * (returns[row] - mean) ** 2


def test_what_lies_below_is_uniform_where_the_density_is_right(bars, known):
    below = label_mixture(bars, np.zeros(520, np.int64), np.ones((520, 1)), known).below()
    inside = np.sort(below[2:400])
    assert np.abs(inside - np.linspace(0, 1, 398)).max() < 0.05
    assert np.abs(inside**2 - np.linspace(0, 1, 398)).max() > 0.2


@pytest.mark.parametrize("density", [one_density, ewma_density])
def test_a_density_knows_earlier_bars_and_one_instrument(bars, known, density):
    later = bars.frame.copy()
    later.iloc[450:] *= 1.5
    changed = density(Bars.of(later, "close", None), known)
    np.testing.assert_array_equal(changed[:450], density(bars, known)[:450])
    assert changed[450] < density(bars, known)[450] - 5


def test_instruments_of_other_scales_share_a_density(known):
    quiet, loud = make_prices(4), make_prices(4)
    loud["close"] = 100 * (loud["close"] / 100) ** 10  # ten times the log returns
    both = pd.concat([quiet.assign(symbol="a"), loud.assign(symbol="b")])
    found = one_density(Bars.of(both, "close", "symbol"), np.tile(known, 2))
    np.testing.assert_allclose(found[1:520] - np.log(10), found[521:], atol=1e-6)


class Scoring:
    """A model that has a density of its own."""

    def __init__(self, transform):
        self.contract = self.density = self
        self.channels = (0,)
        self.transforms, self.schema, self.feature_names = (transform,), self, ("close",)

    def log_score(self, frame, by):
        return np.full(len(frame), 7.0)


def test_a_models_own_density_counts_where_it_is_one_of_returns(bars, known):
    labels, one = np.zeros(520, np.int64), np.ones((520, 1))
    own = model_density(Scoring("log_difference"), bars, labels, one, 400)
    assert (own == 7.0).all()
    by_labels = model_density(Scoring("level"), bars, labels, one, 400)
    np.testing.assert_array_equal(by_labels, one_density(bars, known))
