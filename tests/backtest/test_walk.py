"""The walk: no look-ahead, trades as they are described, refits that are kept."""

import os

import numpy as np
import pandas as pd
import pytest
from walks import WALK, small_detector

import regimetry as rg
from regimetry.backtest import walk_forward
from regimetry.backtest.refit import fit_once
from regimetry.errors import ConfigError, DataError, RegimetryError


def past_of(walk, until):
    return walk.frame[walk.frame.index <= until]


def wanted_of(walk, frame):
    """The position that the table of regimes says of each row."""
    table = walk.regimes.set_index(["refit", "regime"])["position"]
    names = np.array(walk.names)[frame["regime"].astype(int)]
    return [table[place] for place in zip(frame["refit"], names, strict=True)]


@pytest.fixture(scope="module")
def changed(prices):
    """The same prices up to row 430, and others behind it; row 430 lies within a refit's bars."""
    after = prices.copy()
    after.iloc[431:] *= np.exp(np.cumsum(np.full((len(prices) - 431, 1), 0.05), axis=0))
    return walk_forward(after, small_detector(), **WALK)


def test_another_future_leaves_the_past(prices, walked, changed):
    until = prices.index[430]
    pd.testing.assert_frame_equal(past_of(changed, until), past_of(walked, until))
    begun = walked.regimes["begins"] <= until
    pd.testing.assert_frame_equal(changed.regimes[begun], walked.regimes[begun])


def test_the_comparison_sees_one_bar_of_look_ahead(prices, walked, changed):
    until = prices.index[431]
    assert not past_of(changed, until)["return"].equals(past_of(walked, until)["return"])
    shifted = [past_of(walk, until)["return"].shift(-1) for walk in (walked, changed)]
    assert not shifted[0].iloc[:-1].equals(shifted[1].iloc[:-1])


def test_a_shorter_series_gives_the_same_past(prices, walked):
    cut = walk_forward(prices.iloc[:400], small_detector(), **WALK)
    pd.testing.assert_frame_equal(cut.frame, past_of(walked, prices.index[399]))


@pytest.mark.parametrize("delay", [0, 1, 3])
def test_a_position_is_traded_late_and_at_a_cost(prices, delay):
    rule = {"regime_0": 1.0, "regime_1": -0.5}
    walk = walk_forward(prices, small_detector(), rule=rule, delay=delay, cost=25.0, **WALK)
    frame = walk.frame
    names = np.array(walk.names)[frame["regime"].astype(int)]
    wanted = np.array([rule.get(name, 1.0) for name in names])
    position = frame["position"].to_numpy()
    late = 1 + delay
    np.testing.assert_array_equal(position[late:], wanted[:-late])
    assert np.isnan(position[:late]).all()
    moved = np.abs(np.diff(position[late:]))
    assert moved.any()
    gain = position[late + 1 :] * frame["return"].to_numpy()[late + 1 :] - 25e-4 * moved
    np.testing.assert_allclose(frame["gain"].to_numpy()[late + 1 :], gain)
    first = position[late] * frame["return"].to_numpy()[late]
    assert frame["gain"].iloc[late] == pytest.approx(first), "the first position is free"
    years = (len(frame) - late) / 252
    assert walk.summary.rule.turnover == pytest.approx(moved.sum() / years)


def test_without_a_rule_the_regime_of_the_worst_mean_is_left(walked):
    for _, regimes in walked.regimes.groupby("refit"):
        ordered = regimes.sort_values("mean")
        assert ordered["position"].tolist() == [0.0, 1.0]
    position = walked.frame["position"].to_numpy()
    np.testing.assert_array_equal(position[2:], wanted_of(walked, walked.frame)[:-2])


def test_means_are_those_of_the_next_bar_in_training(prices, walked):
    returns = prices["close"].pct_change().to_numpy()
    detector = small_detector().fit(prices.iloc[:300])
    labels, following = detector.labels_[:299], returns[1:300]
    for number, mean in enumerate(walked.regimes["mean"][:2]):
        assert mean == pytest.approx(following[labels == number].mean())


def test_one_regime_is_held(prices):
    walk = walk_forward(prices, small_detector(n_regimes=1), **WALK)
    assert (walk.frame["position"].dropna() == 1.0).all()
    assert walk.summary.rule == walk.summary.hold


def test_the_summary_is_that_of_the_frame(walked):
    frame, found = walked.frame, walked.summary
    gain = frame["gain"].dropna()
    assert found.rule.sharpe == pytest.approx(gain.mean() / gain.std() * np.sqrt(252))
    wealth = np.cumprod(np.r_[1.0, 1.0 + gain])
    assert found.rule.drawdown == pytest.approx((1 - wealth / np.maximum.accumulate(wealth)).max())
    assert walked.equity["drawdown"].max() == pytest.approx(found.rule.drawdown)
    assert found.hold.turnover == 0.0
    assert sum(found.share.values()) == pytest.approx(1.0)
    assert found.log_score.bars == found.bars == len(frame)
    assert found.log_score.model == pytest.approx(frame["log_score"].mean())
    kept = walked.refits["kept"].dropna()
    assert (found.stability.kept, found.stability.lowest) == (kept.mean(), kept.min())
    assert found.to_dict()["rule"]["sharpe"] == found.rule.sharpe


def test_refits_are_kept_and_used_again(prices, walked, tmp_path, monkeypatch):
    fits = []

    def counted(*work):
        fits.append(1)
        return fit_once(*work)

    monkeypatch.setattr("regimetry.backtest.walk.fit_once", counted)
    again = [
        walk_forward(prices, small_detector(), folder=tmp_path / "walk", **WALK) for _ in range(2)
    ]
    assert len(fits) == len(walked.refits) == len(list((tmp_path / "walk/refits").glob("*.npz")))
    for walk in again:
        pd.testing.assert_frame_equal(walk.frame, walked.frame)
    costly = walk_forward(prices, small_detector(), folder=tmp_path / "walk", cost=50.0, **WALK)
    assert len(fits) == 3, "costs need no other fit"
    assert costly.summary.rule.annual_return < walked.summary.rule.annual_return
    walk_forward(prices, small_detector(random_state=1), folder=tmp_path / "walk", **WALK)
    assert len(fits) == 6, "another seed does"
    for done in (tmp_path / "walk/refits").glob("*.npz"):
        done.write_bytes(b"half")
    with pytest.raises(DataError, match=r"cannot be read .*Remove it"):
        walk_forward(prices, small_detector(), folder=tmp_path / "walk", **WALK)


def test_processes_give_the_same(prices, walked):
    seen = []
    walk = walk_forward(prices, small_detector(), jobs=2, advance=seen.append, **WALK)
    pd.testing.assert_frame_equal(walk.frame, walked.frame)
    assert sum(seen) == 3


def test_a_process_that_dies_is_said(prices):
    class Dying(rg.RegimeDetector):
        def fit(self, *rows, **options):
            os._exit(1)

    with pytest.raises(RegimetryError, match="A process died, perhaps for lack of memory"):
        walk_forward(prices, Dying(), jobs=2, **WALK)


def test_instruments_share_a_walk(panel):
    walk = walk_forward(panel, small_detector(), by="symbol", **WALK)
    frame = walk.frame
    assert walk.summary.instruments == 2
    assert sorted(frame["symbol"].unique()) == ["a", "b"]
    assert frame.index.is_monotonic_increasing
    prices = panel[panel["symbol"] == "a"]["close"]
    own = frame[frame["symbol"] == "a"]
    np.testing.assert_allclose(own["return"], prices.pct_change()[own.index])
    np.testing.assert_array_equal(
        own["position"].to_numpy()[2:],
        wanted_of(walk, own)[:-2],
    )
    equal = frame.groupby(level=0)["gain"].mean()
    np.testing.assert_allclose(walk.equity["gain"], equal.dropna())
    most = frame[frame["gain"].notna()].groupby(level=0)["regime"].agg(lambda k: k.mode().min())
    assert walk.equity["regime"].tolist() == most.tolist()
    assert walk.frame[["log_score", "one_t", "ewma_t"]].notna().to_numpy().all()


def test_another_future_of_one_instrument_leaves_the_past_of_both(panel):
    until = panel.index.unique()[400]
    later = panel.copy()
    behind = (later.index > until) & (later["symbol"] == "a")
    later.loc[behind, "close"] *= np.linspace(2.0, 5.0, behind.sum())
    walks = [walk_forward(one, small_detector(), by="symbol", **WALK) for one in (panel, later)]
    pd.testing.assert_frame_equal(*(past_of(walk, until) for walk in walks))
    ends = [walk.frame[walk.frame["symbol"] == "b"]["regime"].iloc[-60:] for walk in walks]
    assert not ends[0].equals(ends[1]), "the last refit has seen the other future"


@pytest.mark.parametrize(
    ("given", "kind", "message"),
    [
        ({"rule": {}}, ConfigError, "The rule names no regime; give positions such as"),
        (
            {"rule": {"calm": 0}},
            ConfigError,
            r"names 'calm'; the regimes of this walk are regime_0",
        ),
        ({"rule": {"regime_0": np.nan}}, ConfigError, "must be a finite number"),
        ({"train": 9}, DataError, r"The fit on 9 bars is refused: .*give a larger train"),
        ({"train": 519}, DataError, r"There are 520 bars; a walk that trains on 519 needs 522"),
        ({"refit": 0}, ConfigError, "refit is 0; it must be an integer of at least 1"),
        ({"cost": -1.0}, ConfigError, "cost is -1.0"),
        ({"jobs": 0}, ConfigError, "jobs is 0"),
        ({"price": "open"}, DataError, "There is no column of numbers 'open'"),
        ({"price": [1.0]}, DataError, "give one price a row"),
        ({"by": "symbol"}, DataError, "by is 'symbol'; the columns are close"),
    ],
)
def test_bad_input_is_refused(prices, given, kind, message):
    with pytest.raises(kind, match=message):
        walk_forward(prices, small_detector(), **{**WALK, **given})


def test_bad_rows_are_refused(prices):
    with pytest.raises(DataError, match=r"holds 0\.0; prices must be positive\. Name another"):
        walk_forward(prices.assign(close=prices["close"].where(prices.index[7] != prices.index, 0)))
    with pytest.raises(DataError, match="a pandas DataFrame is needed"):
        walk_forward(prices.to_numpy())
    with pytest.raises(ConfigError, match="a walk aligns each refit"):
        walk_forward(prices, small_detector(align_to="model.onnx"))
