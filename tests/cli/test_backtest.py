"""``regimetry backtest`` as a person uses it."""

import json
import sys
from io import BytesIO, TextIOWrapper

import pandas as pd
import pytest
from walks import make_prices

WINDOWS = ("--train", "300", "--refit", "110", "--window-size", "10", "--n-regimes", "2")
FILES = ["backtest.html", "bars.csv", "refits", "refits.csv", "regimes.csv", "summary.json"]


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def prices(tmp_path):
    make_prices(1).to_csv(tmp_path / "prices.csv")
    return tmp_path / "prices.csv"


def test_a_walk_is_written_and_goes_on(prices, run, answer, tmp_path):
    shown = run("backtest", prices, *WINDOWS)
    assert "rule" in shown.out
    assert "names kept over a refit" in shown.out
    folder = tmp_path / "prices-backtest"
    assert sorted(path.name for path in folder.iterdir()) == FILES
    bars = pd.read_csv(folder / "bars.csv", index_col="date")
    assert len(bars) == 220
    assert set(bars["regime"]) <= {"regime_0", "regime_1", "regime_2"}
    kept = {path: path.stat().st_mtime_ns for path in (folder / "refits").iterdir()}
    assert len(kept) == 2
    found = answer("backtest", prices, *WINDOWS, "--rule", "regime_0=0", "--cost", "0")
    assert {path: path.stat().st_mtime_ns for path in (folder / "refits").iterdir()} == kept
    summary = json.loads((folder / "summary.json").read_text())
    assert summary.items() <= found.items()
    assert sorted(found["written"]) == [name for name in FILES if name != "refits"]
    assert found["refits"] == 2


def test_without_what_draws_there_is_no_page(prices, answer, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "plotly", None)
    monkeypatch.setitem(sys.modules, "regimetry.backtest.figures", None)
    found = answer("backtest", prices, *WINDOWS, "-o", tmp_path / "walk")
    assert "backtest.html" not in found["written"]
    assert "no page: plotly and jinja2" in found["notes"][-1]


def test_features_of_bars_and_instruments(answer, tmp_path):
    both = [make_prices(seed, 420).assign(symbol=name) for seed, name in ((1, "a"), (2, "b"))]
    pd.concat(both).to_csv(tmp_path / "panel.csv")
    panel = answer("backtest", tmp_path / "panel.csv", "--by", "symbol", *WINDOWS)
    assert (panel["instruments"], panel["refits"]) == (2, 2)
    close = make_prices(1, 420)["close"]
    frame = pd.DataFrame({"open": close.shift(1, fill_value=100.0), "close": close})
    frame["high"], frame["low"] = frame.max(axis=1) * 1.01, frame.min(axis=1) / 1.01
    frame.to_csv(tmp_path / "bars.csv")
    made = answer("backtest", tmp_path / "bars.csv", "--features", "ohlcv", *WINDOWS)
    bars = pd.read_csv("bars-backtest/bars.csv", index_col="date", parse_dates=True)
    assert made["bars"] == len(bars)
    returns = close.pct_change()[bars.index]
    pd.testing.assert_series_equal(bars["return"], returns, check_names=False, check_freq=False)


def test_bad_options_are_one_sentence(prices, refuses, tmp_path, monkeypatch):
    pd.read_csv(prices).assign(close=-1.0).to_csv(tmp_path / "negative.csv", index=False)
    for data, arguments, message in (
        (prices, ["--rule", "calm=0", *WINDOWS], "The rule names 'calm'; the regimes of this walk"),
        (prices, ["--rule", "regime_0", *WINDOWS], "it must be NAME=POSITION"),
        (prices, ["--train", "9", "--window-size", "10"], "The fit on 9 bars is refused"),
        (prices, [], "There are 520 bars; a walk that trains on 2520 needs 2523 or more"),
        (prices, ["--delay", "-1"], "delay is -1"),
        (prices, ["--price", "open", *WINDOWS], "no column of numbers 'open'"),
        (prices, ["-o", prices, *WINDOWS], "read as data and would be written over"),
        (tmp_path / "nothing.csv", [], "There is no file"),
    ):
        refuses(message, "backtest", data, *arguments)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(prices.read_bytes())))
    refuses("name the folder with -o", "backtest", "-", *WINDOWS)
    refuses("prices must be positive", "backtest", tmp_path / "negative.csv", *WINDOWS)
