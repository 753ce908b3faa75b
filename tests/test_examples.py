"""The production examples run."""

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


def test_walk_forward(bars):
    printed = run("walk_forward", bars, "--train", 500, "--refit", 120)
    assert "200 bars, 2 fits" in printed
    assert printed.startswith("index ")
