"""Dwell times, performance, columns, changes, decisions, prices and the whole."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regimetry.analysis import (
    analyse_labels,
    change_points,
    conditional_statistics,
    decision_table,
    performance,
    simple_returns,
)
from regimetry.analysis.dwell import survival
from regimetry.analysis.plain import plain
from regimetry.analysis.price import find_price, price_candidates
from regimetry.errors import ConfigError, DataError


def test_dwell_and_survival_by_hand():
    labels = np.array([0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 0])
    found = analyse_labels(labels, 3).dwell
    assert found.spells.tolist() == [3, 2, 0]
    assert found.complete.tolist() == [1, 2, 0]
    np.testing.assert_allclose(found.mean, [7 / 3, 2.5, np.nan])
    np.testing.assert_allclose(found.longest, [4, 3, np.nan])
    # Regime 0: one spell ended after 1 bar, two lasted at least 2 and 4: survival 2/3 throughout.
    np.testing.assert_allclose(found.median, [np.inf, 2, np.nan])
    np.testing.assert_allclose(found.expected, [6 / 2, 5 / 2, np.nan])
    assert (found.lower[:2] < found.expected[:2]).all()
    assert (found.upper[:2] > found.expected[:2]).all()
    bars, share = survival(np.array([1, 2, 2, 3, 5]), np.array([True, True, False, True, False]))
    assert bars.tolist() == [1, 2, 3]
    np.testing.assert_allclose(share, [4 / 5, 4 / 5 * 3 / 4, 4 / 5 * 3 / 4 / 2])


def slow_performance(labels, returns, regime):
    """Drawdowns by walking along the bars."""
    chained = high = 1.0
    worst = worst_spell = 0.0
    equity = top = 1.0
    for t, label in enumerate(labels):
        if label != regime or np.isnan(returns[t]):
            equity = top = 1.0
            continue
        chained *= 1 + returns[t]
        high = max(high, chained)
        worst = max(worst, 1 - chained / high)
        equity *= 1 + returns[t]
        top = max(top, equity)
        worst_spell = max(worst_spell, 1 - equity / top)
    return worst, worst_spell


@given(st.integers(1, 60), st.integers(0, 10_000))
def test_performance_is_that_of_a_walk(n_rows, seed):
    generator = np.random.default_rng(seed)
    labels = np.repeat(generator.integers(-1, 3, n_rows), 4)[:n_rows]
    returns = np.where(generator.random(n_rows) < 0.1, np.nan, generator.normal(0, 0.05, n_rows))
    found = performance(labels, returns, 3, bars_per_year=100)
    for regime in range(3):
        r = returns[(labels == regime) & ~np.isnan(returns)]
        assert found.bars[regime] == len(r)
        if not len(r):
            assert np.isnan(found.mean[regime])
            continue
        worst, worst_spell = slow_performance(labels, returns, regime)
        assert found.drawdown[regime] == pytest.approx(worst, abs=1e-12)
        assert found.spell_drawdown[regime] == pytest.approx(worst_spell, abs=1e-12)
        assert found.hit_rate[regime] == np.mean(r > 0)
        assert found.annual_return[regime] == pytest.approx(np.prod(1 + r) ** (100 / len(r)) - 1)
        if len(r) > 1:
            assert found.volatility[regime] == pytest.approx(r.std(ddof=1) * 10)
            assert found.sharpe[regime] == pytest.approx(r.mean() / r.std(ddof=1) * 10)


def test_the_next_bar_is_what_a_trader_gets_and_none_over_a_gap():
    labels = np.array([0, 0, 1, 1, 0])
    returns = simple_returns(np.array([100.0, 110.0, 99.0, 99.0, 198.0]))
    np.testing.assert_allclose(returns, [np.nan, 0.1, -0.1, 0.0, 1.0])
    same = performance(labels, returns, 2, bars_per_year=1)
    after = performance(labels, returns, 2, bars_per_year=1, timing="next")
    np.testing.assert_allclose(same.mean, [(0.1 + 1.0) / 2, -0.05])
    np.testing.assert_allclose(after.mean, [0.0, 0.5], atol=1e-12)
    assert after.bars.tolist() == [2, 2]
    breaks = np.array([False, False, True, False])
    returns = simple_returns(np.array([1.0, 2.0, 8.0, 16.0]), breaks)
    np.testing.assert_allclose(returns, [np.nan, 1, np.nan, 1])
    found = performance(np.zeros(4, int), returns, 1, bars_per_year=1, breaks=breaks)
    assert found.bars.tolist() == [2]
    assert found.spells.tolist() == [2]


def test_prices_are_positive():
    for price in (
        [1.0, 0.0],
        [1.0, -2.0],
        [1.0, np.inf],
    ):
        with pytest.raises(DataError, match="Row 1 of the price"):
            simple_returns(np.array(price))


def test_performance_refuses_what_does_not_fit():
    with pytest.raises(DataError, match="2 labels and 3 returns"):
        performance(np.array([0, 0]), np.zeros(3), 1, bars_per_year=1)
    with pytest.raises(ConfigError, match="bars_per_year is 0"):
        performance(np.array([0]), np.zeros(1), 1, bars_per_year=0)


def test_columns_are_described_by_regime():
    labels = np.array([0, 0, 1, -1, 0, 1])
    column = np.array([1.0, 3.0, 7.0, 100.0, np.nan, 9.0])
    found = conditional_statistics(labels, column, 3, levels=(0.5,))
    assert found.count.tolist() == [2, 2, 0]
    np.testing.assert_allclose(found.mean, [2, 8, np.nan])
    np.testing.assert_allclose(found.deviation, [2**0.5, 2**0.5, np.nan])
    np.testing.assert_allclose(found.quantiles, [[2], [8], [np.nan]])
    with pytest.raises(DataError, match="6 labels and 5 values"):
        conditional_statistics(labels, column[1:], 3)


MATRIX = np.array([[0.9, 0.1], [0.2, 0.8]])


def test_the_decision_table_by_hand():
    labels = np.array([-1, 0, 0, 1, 1])
    p = np.array([[np.nan, np.nan], [0.8, 0.2], [0.7, 0.3], [0.4, 0.6], [0.1, 0.9]])
    novelty = np.array([np.nan, 1, 2, 3, 4])
    table = decision_table(labels, p, novelty, MATRIX, horizons=(2,))
    np.testing.assert_allclose(table["probability"], [np.nan, 0.8, 0.7, 0.6, 0.9])
    np.testing.assert_allclose(table["age"], [np.nan, 1, 2, 1, 2])
    np.testing.assert_allclose(table["changed"], [np.nan, 0, 0, 1, 0])
    np.testing.assert_allclose(table["expected_left"], [np.nan, 10, 10, 5, 5])
    np.testing.assert_allclose(table["same_2"], [np.nan, 0.83, 0.83, 0.66, 0.66])
    np.testing.assert_allclose(table["p_1_2"][1:], (p @ MATRIX @ MATRIX)[1:, 1])
    with pytest.raises(DataError, match="another model or other bars"):
        decision_table(labels, p[1:], novelty, MATRIX)


@given(st.lists(st.integers(-1, 1), min_size=2, max_size=30), st.integers(1, 29))
def test_decisions_do_not_look_ahead(values, cut):
    labels = np.array(values)
    cut = min(cut, len(labels))
    p = np.random.default_rng(0).dirichlet([1, 1], len(labels))
    whole = decision_table(labels, p, p[:, 0], MATRIX)
    part = decision_table(labels[:cut], p[:cut], p[:cut, 0], MATRIX)
    for name, column in part.items():
        np.testing.assert_array_equal(column, whole[name][:cut])


def test_prices_are_found_or_named():
    generator = np.random.default_rng(0)
    walk = 100 * np.exp(0.01 * np.cumsum(generator.standard_normal(400)))
    columns = {"mid": walk, "r": generator.standard_normal(400), "note": np.array(["x"] * 400)}
    assert price_candidates(columns) == ["mid"]
    assert find_price({**columns, "Close": walk}) == "Close"
    assert find_price(columns, "r") == "r"
    with pytest.raises(DataError, match="called close or price; these could be the price: mid;"):
        find_price(columns)
    with pytest.raises(DataError, match="no column of numbers 'q'; these could be the price: mid"):
        find_price(columns, "q")
    with pytest.raises(DataError, match="none of the columns is positive"):
        find_price({"r": columns["r"]})


@pytest.mark.parametrize("k", [1, 3, 40])
@pytest.mark.parametrize("labels", [[0], [-1, 0, -1], [0, 0, 0, 0]])
def test_one_bar_and_one_regime_have_an_answer(k, labels):
    found = analyse_labels(np.array(labels), k)
    assert found.share.tolist() == [1.0] + [0.0] * (k - 1)
    assert found.long_run[0] == 1.0
    assert found.entropy_rate == 0.0
    assert len(found.changes.bar) == 0
    np.testing.assert_allclose(found.forecast.sum(axis=1), 1)
    assert found.is_irreducible == (k == 1)
    json.dumps(found.to_dict(), allow_nan=False)


def test_forty_regimes():
    labels = np.random.default_rng(0).integers(0, 40, 5000)
    found = analyse_labels(labels, 40)
    assert found.dwell.spells.sum() == 1 + np.count_nonzero(np.diff(labels))
    np.testing.assert_allclose(found.long_run @ found.transitions.empirical, found.long_run)


def test_breaks_and_missing_labels_are_no_transitions_in_the_whole():
    labels = np.array([0, 0, -1, 1, 1, 0])
    breaks = np.array([False, False, False, False, False, True])
    found = analyse_labels(labels, 2, breaks=breaks)
    assert found.transitions.counts.tolist() == [[1, 0], [0, 1]]
    assert len(found.changes.bar) == 0
    assert (found.bars, found.missing) == (5, 1)


def test_plain_data_has_no_nan():
    data = plain({"a": np.array([1.0, np.nan, np.inf]), 2: (np.int64(3), None, "x")})
    assert data == {"a": [1.0, None, None], "2": [3, None, "x"]}


@given(st.lists(st.integers(-1, 3), min_size=1, max_size=40))
def test_strength_is_that_of_a_walk(values):
    labels = np.array(values)
    p = np.random.default_rng(0).dirichlet(np.ones(4), len(labels))
    p[labels < 0] = np.nan
    found = change_points(labels, p)
    bars = [t for t in range(1, len(labels)) if min(labels[t - 1 : t + 1]) >= 0
            and labels[t] != labels[t - 1]]  # fmt: skip
    assert found.bar.tolist() == bars
    assert np.isnan(change_points(labels).strength).all()
    for i, t in enumerate(bars):
        start, stop = t - 1, t + 1
        while start > 0 and labels[start - 1] == labels[t - 1]:
            start -= 1
        while stop < len(labels) and labels[stop] == labels[t]:
            stop += 1
        assert (found.before[i], found.after[i]) == (labels[t - 1], labels[t])
        assert (found.bars_before[i], found.bars_after[i]) == (t - start, stop - t)
        lead = p[:, labels[t]] - p[:, labels[t - 1]]
        expected = (lead[t:stop].mean() - lead[start:t].mean()) / 2
        assert found.strength[i] == pytest.approx(expected)
        assert found.margin[i] == pytest.approx(lead[t])
