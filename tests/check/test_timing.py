import time
from pathlib import Path

import numpy as np
import pytest

from regimetry.check.timing import SETS, Figure, in_turns, time_model
from regimetry.cli import main
from regimetry.errors import ConfigError, ModelError

MODEL = Path(__file__).parents[2] / "models/sp500.onnx"


def test_every_way_and_every_set_has_quantiles_that_rise():
    found = time_model(MODEL, device="cpu", seconds=1, n_streams=20)
    assert [(entry["way"], entry["outputs"]) for entry in found["figures"]] == [
        (way, name) for way in ("tick", "batch", "bank") for name in SETS
    ]
    for entry in found["figures"]:
        assert 0 < entry["p50"] <= entry["p99"] <= entry["p99.9"]
        assert entry["calls"] > 0
    median = {(entry["way"], entry["outputs"]): entry["p50"] for entry in found["figures"]}
    # Single bars tell this model's regimes; of batches and pushes there are few in a second.
    assert median["tick", "regime"] < median["tick", "all"] / 2
    assert found["load_ms"] > 0


def test_a_model_of_bars_is_timed_on_bars(bars_path):
    found = time_model(bars_path, seconds=1, n_streams=3)
    assert all(entry["p50"] > 0 for entry in found["figures"])


def test_quantiles_are_of_microseconds_per_bar():
    figure = Figure("tick", "all", np.linspace(0, 1e-3, 1001)).to_dict()
    assert figure["calls"] == 1001
    assert (figure["p50"], figure["p99"], figure["p99.9"]) == (500.0, 990.0, 999.0)


def test_calls_take_turns_and_each_is_made_at_least_once():
    order = []
    found = in_turns(
        {name: lambda name=name: order.append(name) or time.sleep(0.02) for name in "ab"}, 0.1
    )
    assert order[:4] == ["a", "b", "a", "b"]
    assert [len(times) for times in found.values()] == [order.count("a"), order.count("b")]
    assert min(found["a"]) >= 0.02
    assert {name: len(times) for name, times in in_turns({"a": int}, 0).items()}["a"] >= 1


def test_the_verb_prints_one_line_a_figure(capsys):
    assert main(["bench", str(MODEL), "--seconds", "1", "--streams", "10"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["microseconds", "per", "bar", "p50", "p99", "p99.9"]
    assert [line.split(":")[0] for line in lines[2:14]] == [
        *["tick"] * 4,
        *["batch"] * 4,
        *["bank"] * 4,
    ]
    assert "loaded in" in lines[-1]


def test_bad_input(tmp_path, capsys):
    with pytest.raises(ConfigError, match="seconds is 0"):
        time_model(MODEL, seconds=0)
    with pytest.raises(ConfigError, match="streams is 0"):
        time_model(MODEL, n_streams=0)
    with pytest.raises(ModelError, match="no model file"):
        time_model(tmp_path / "none.onnx")
    assert main(["bench", str(MODEL), "--streams", "-1"]) == 2
    assert "streams is -1" in capsys.readouterr().err
