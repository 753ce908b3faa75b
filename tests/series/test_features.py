"""Features of bars: the definitions, causality, streams, bad bars, columns and the record."""

import doctest
import json
import math
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import ohlcv_row
from places import DOCS
from price_bars import COLUMNS, make_bars, make_frame

import regimetry as rg
from regimetry.contract import CONTRACT_KEY, read_contract
from regimetry.errors import ConfigError, DataError, DataWarning, ModelError
from regimetry.series.features import BarColumns, OhlcvFeatures, drifting_columns, ohlcv, pipeline
from regimetry.series.features import formulas as of

PAGE = (DOCS / "features.md").read_text()
PLAIN = BarColumns("open", "high", "low", "close")
FIELDS = tuple(vars(COLUMNS))


@pytest.mark.parametrize("window", [2, 5, 20])
@pytest.mark.parametrize("columns", [COLUMNS, PLAIN, replace(PLAIN, volume="v")])
def test_features_are_what_their_formulas_say(window, columns):
    present = [i for i, field in enumerate(FIELDS) if getattr(columns, field) is not None]
    bars = make_bars(60)[:, present]
    features = OhlcvFeatures(columns, window)
    made = features.array(bars)
    named = [dict(zip([FIELDS[i] for i in present], row, strict=True)) for row in bars.tolist()]
    expected = [ohlcv_row(named[: t + 1], window) for t in range(features.warm_up, 60)]
    assert set(expected[0]) == set(features.names)
    wanted = np.array([[row[name] for name in features.names] for row in expected])
    assert made.shape == (60 - window, len(features.names))
    np.testing.assert_allclose(made, wanted, rtol=1e-9, atol=1e-13)


def test_a_wrong_lag_would_be_seen():
    features = OhlcvFeatures(COLUMNS, 5)
    bars = make_bars(60)
    named = [dict(zip(FIELDS, row, strict=True)) for row in bars.tolist()]
    late = ohlcv_row(named[:-1], 5)
    now = dict(zip(features.names, features.array(bars)[-1], strict=True))
    assert all(not math.isclose(now[name], late[name], rel_tol=1e-9) for name in features.names)


@settings(max_examples=40, deadline=None)
@given(n=st.integers(12, 60), window=st.integers(2, 10), seed=st.integers(0, 2**20), data=st.data())
def test_no_future_changes_the_past(n, window, seed, data):
    features = OhlcvFeatures(COLUMNS, window)
    bars = make_bars(n, seed)
    past = data.draw(st.integers(window + 1, n))
    future = make_bars(data.draw(st.integers(1, 40)), seed + 1)
    future *= data.draw(st.floats(1e-3, 1e3, allow_nan=False))
    alone = features.array(bars[:past])
    with_future = features.array(np.concatenate([bars[:past], future]))
    np.testing.assert_array_equal(with_future[: len(alone)], alone)


def test_a_bar_depends_on_warm_up_bars_before_it_and_no_more():
    features = OhlcvFeatures(COLUMNS, 6)
    bars = make_bars(50)
    tail = features.array(bars[-(features.warm_up + 1) :])
    np.testing.assert_array_equal(tail, features.array(bars)[-1:])
    with pytest.raises(DataError, match="6 bars are too few for features over 6; at least 7"):
        features.array(bars[: features.warm_up])


BAD_BARS = {
    "missing": ("Close", math.nan, r"column 'Close' holds nan; every value"),
    "infinite": ("Volume", math.inf, r"column 'Volume' holds inf; every value"),
    "zero price": ("Low", 0.0, r"column 'Low' holds 0; a price must be positive"),
    "negative price": ("Adj Close", -2.0, r"column 'Adj Close' holds -2; a price must"),
    "high below low": ("High", 1.0, r"column 'High' holds 1, below the low .* of the same bar"),
    "open too high": ("Open", 1e4, r"column 'Open' holds 10000, above the high"),
    "open too low": ("Open", 1.0, r"column 'Open' holds 1, below the low"),
    "close too high": ("Close", 1e4, r"column 'Close' holds 10000, above the high"),
    "close too low": ("Close", 1.0, r"column 'Close' holds 1, below the low"),
    "zero volume": ("Volume", 0.0, r"column 'Volume' holds 0; the volume must be positive"),
}


@pytest.mark.parametrize("case", list(BAD_BARS))
def test_a_bad_bar_is_named_in_one_sentence(case):
    column, value, message = BAD_BARS[case]
    frame = make_frame()
    frame.loc[31, column] = value
    with pytest.raises(DataError, match=rf"^Row 31, {message}"):
        ohlcv(frame)
    dated = frame.set_index(pd.date_range("2020-01-01", periods=80))
    with pytest.raises(DataError, match=rf"^Row 31 \(2020-02-01.*\), {message}"):
        ohlcv(dated)


def test_rounding_makes_no_bar_bad_and_standing_still_no_nan():
    bars = make_bars(40)
    bars[:, 3] = bars[:, 1] * (1 + 1e-8)
    assert np.isfinite(OhlcvFeatures(COLUMNS, 5).array(bars)).all()
    bars[7, 3] = bars[7, 1] * (1 + 1e-5)
    with pytest.raises(DataError, match="Row 7, column 'Close'"):
        OhlcvFeatures(COLUMNS, 5).array(bars)
    bars = np.tile([10.0, 10, 10, 10, 10, 123.456], (30, 1))
    np.testing.assert_array_equal(OhlcvFeatures(COLUMNS, 7).array(bars), 0.0)


def test_columns_are_found_by_name_in_any_case_and_order():
    found = BarColumns.find(["time", "OPEN", "high", "Low", "CLOSE", "rsi"])
    assert found == BarColumns("OPEN", "high", "Low", "CLOSE")
    for name in ("Adj Close", "adj_close", "AdjClose", "adjusted close"):
        assert BarColumns.find([*PLAIN.names, name]).adjusted_close == name
    with pytest.raises(DataError, match=r"no column named 'open' or 'low' .*The columns are hi"):
        BarColumns.find(["high", "close"])
    with pytest.raises(DataError, match="'Close' and 'close' could both be the close"):
        BarColumns.find([*PLAIN.names, "Close"][::-1])
    frame = make_frame()
    shuffled = frame[frame.columns[::-1]].assign(rsi=1.0)
    pd.testing.assert_frame_equal(ohlcv(shuffled), ohlcv(frame))


def test_frames_keep_their_kind_and_their_time():
    times = pd.date_range("2021-03-01", periods=80)
    dated = make_frame().set_index(times.rename("date"))
    made = ohlcv(dated, window=10)
    assert made.index.equals(dated.index[10:])
    assert made.columns.tolist() == list(OhlcvFeatures(COLUMNS).names)
    in_column = make_frame(when=times)
    assert ohlcv(in_column, window=10)["when"].tolist() == times[10:].tolist()
    polars = ohlcv(pl.from_pandas(in_column), window=10)
    assert isinstance(polars, pl.DataFrame)
    assert polars.columns == ["when", *OhlcvFeatures(COLUMNS).names]
    np.testing.assert_array_equal(polars.drop("when").to_numpy(), made.to_numpy())
    with pytest.raises(DataError, match="goes back in time"):
        ohlcv(dated.iloc[[0, 2, 1]])
    with pytest.warns(DataWarning, match="newest first"):
        pd.testing.assert_frame_equal(ohlcv(dated.iloc[::-1], window=10), made.iloc[::-1])


def test_bad_windows_are_named():
    for window in (
        1,
        0,
        -3,
        2.5,
        True,
        "20",
    ):
        with pytest.raises(ConfigError, match=r"window is .* at least 2"):
            OhlcvFeatures(PLAIN, window)


def test_bars_of_the_wrong_width_are_refused():
    with pytest.raises(DataError, match="have 5 columns; the features are made of 6: Open"):
        OhlcvFeatures(COLUMNS).array(make_bars(40)[:, :5])


def test_the_file_keeps_how_its_features_were_made(bars_detector, bars_model, detector):
    features = bars_model.contract.training.features
    assert features == OhlcvFeatures(COLUMNS, 5)
    labels = bars_model.predict(make_bars(260))
    assert labels.tolist() == [-1] * features.warm_up + bars_detector.labels_.tolist()
    assert detector.model_.contract.training.features is None


def test_fit_refuses_a_recipe_that_did_not_make_its_data():
    bars = make_frame(100)
    with pytest.raises(ConfigError, match=r"features makes log_return.*the data to fit have Open"):
        rg.RegimeDetector(window_size=10, n_regimes=2).fit(bars, features=OhlcvFeatures.find(bars))


def test_a_damaged_record_is_refused(bars_model):
    for change, message in (
        ({"kind": "candles"}, "features.kind is 'candles'; expected 'ohlcv'.*or upgrade regimetry"),
        ({"window": 0}, "damaged .*window is 0; it must be"),
        ({"columns": {"open": "o"}}, "damaged .*'high'"),
        ({"columns": {**vars(COLUMNS), "volume": None}}, "training.features is .* what makes log_"),
    ):
        metadata = bars_model.contract.to_metadata()
        data = json.loads(metadata[CONTRACT_KEY])
        data["training"]["features"] |= change
        with pytest.raises(ModelError, match=message):
            read_contract({**metadata, CONTRACT_KEY: json.dumps(data)}, "m.onnx")


def test_drifting_columns_are_found_and_differenced_ones_are_fine():
    generator = np.random.default_rng(0)
    noise = generator.standard_normal((400, 4))
    values = np.column_stack([noise[:, 0], np.cumsum(noise[:, 1]), 50 + noise[:, 2], noise[:, 3]])
    names = ("x", "walk", "Close", "close")
    levels = ("level",) * 4
    found = drifting_columns(values, names, levels)
    assert list(found) == ["walk", "Close"]
    assert found["walk"].startswith("is near a unit root (its AR(1) coefficient is 0.9")
    assert found["Close"] == "is a price level"
    assert drifting_columns(values, names, ("level", "difference", "log_difference", "level")) == {}


def test_the_page_has_every_feature_with_its_warm_up():
    row = re.compile(r"^\| `(\w+)` \| .* \| (\w+(?: - 1)?) \| [^|]* \|$", flags=re.MULTILINE)
    rows = row.findall(PAGE)
    assert [name for name, _ in rows] == list(OhlcvFeatures(COLUMNS).names)
    n, bars = 7, make_bars(40)
    opening, high, low, close, price, volume = bars.T
    made = [
        of.log_return(price),
        of.realised_volatility(price, n),
        of.garman_klass_volatility(opening, high, low, close, n),
        of.price_range(high, low),
        of.volume_zscore(volume, n),
        of.momentum(price, n),
        of.drawdown(price, n),
    ]
    for values, (name, warm_up) in zip(made, rows, strict=True):
        assert 40 - len(values) == eval(warm_up, {"n": n}), name
    assert max(40 - len(values) for values in made) == OhlcvFeatures(COLUMNS, n).warm_up


def test_the_page_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    exec(compile(block, "docs/features.md", "exec"), {})


def test_docstring_examples_run():
    result = doctest.testmod(pipeline)
    assert result.attempted > 0
    assert result.failed == 0


def test_a_feature_that_looks_ahead_would_be_seen(monkeypatch):
    def demeaned(high, low):
        return of.price_range(high, low) - of.price_range(high, low).mean()

    monkeypatch.setattr(pipeline, "price_range", demeaned)
    # In hypothesis' place: a past of 20 bars, a future of 20, prices times 20.
    data = SimpleNamespace(draw=lambda strategy: 20)
    with pytest.raises(AssertionError):
        test_no_future_changes_the_past.hypothesis.inner_test(n=30, window=4, seed=0, data=data)
