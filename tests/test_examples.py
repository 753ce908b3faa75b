"""The production examples run, and the walk-forward test does not look ahead."""

import importlib.util
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from places import MODEL, ROOT

import regimetry as rg

EXAMPLES = ROOT / "examples" / "production"
FEATURES = ROOT / "examples" / "features"


def module(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def run(name, *arguments, folder=EXAMPLES):
    done = subprocess.run(
        [sys.executable, "-I", folder / f"{name}.py", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def bars(tmp_path):
    """A price and a range with two volatilities, as a CSV with dates."""
    simulation = rg.simulate("s2", n_rows=700, seed=0)
    frame = pd.DataFrame(
        {
            "close": 100.0 * np.exp(np.cumsum(simulation.values[:, 0])),
            "range": np.abs(simulation.values[:, 1]) + 0.001,
        },
        index=pd.bdate_range("2001-01-01", periods=700, name="date"),
    )
    frame.to_csv(tmp_path / "bars.csv")
    return tmp_path / "bars.csv"


def test_live_stream_goes_on_after_the_restart(bars):
    printed = run("live_stream", MODEL, bars)
    assert "-- restart" in printed
    assert "360 bars" in printed  # ten of them for the second time


def test_indicators_of_ta_lib_are_columns_and_look_back_only(bars, tmp_path):
    printed = run("talib_indicators", bars, tmp_path / "m.onnx", folder=FEATURES)
    assert "first 350 bars, later ones cut off: same" in printed
    assert rg.load(tmp_path / "m.onnx").schema.names == ("rsi", "momentum", "macd", "width")


def test_many_instruments(tmp_path):
    printed = run("many_instruments", MODEL, "--instruments", 40, "--bars", 90)
    assert "bar  90: 40 instruments scored" in printed or "39 instruments" in printed
    assert "a second" in printed


@pytest.fixture(scope="module")
def walked():
    walk_forward = module("walk_forward").walk_forward
    simulation = rg.simulate("s2", n_rows=620, seed=1)
    frame = pd.DataFrame(simulation.values, columns=["a", "b", "c"])
    return walk_forward, frame, walk_forward(frame, 400, 110, n_regimes=2, seed=0)


def test_the_walk_forward_does_not_look_ahead(walked):
    walk_forward, frame, whole = walked
    cut = walk_forward(frame.iloc[:560], 400, 110, n_regimes=2, seed=0)
    pd.testing.assert_frame_equal(cut, whole.loc[:559])


def test_a_position_is_decided_a_bar_before_and_fits_saw_closed_bars(walked):
    _, _, whole = walked
    calm = (whole["regime"] < 1).astype(float).to_numpy()
    np.testing.assert_array_equal(whole["position"].to_numpy()[1:], calm[:-1])
    assert np.isnan(whole["position"].to_numpy()[0])
    assert (whole["fitted_on"] <= whole.index).all()
    assert whole["fitted_on"].nunique() == 2
