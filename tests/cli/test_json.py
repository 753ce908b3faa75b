"""With --json, one object on standard output and nothing else, of every verb."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from places import MODEL

from regimetry.contract import OUTPUT_NAMES


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    path = tmp_path_factory.mktemp("json") / "t.csv"
    generator = np.random.default_rng(0)
    close = 1000 * np.exp(np.cumsum(0.01 * generator.standard_normal(400)))
    spread = 0.01 * np.exp(0.3 * generator.standard_normal(400))
    frame = pd.DataFrame({"close": close, "range": spread})
    frame.index = pd.date_range("2020-01-01", periods=400, name="date")
    frame.to_csv(path)
    return path


def test_sample(answer, tmp_path):
    found = answer("sample", "simulated", "--rows", 400, "-o", tmp_path / "s.csv")
    assert (found["rows"], found["columns"][0]) == (400, "asset_0")
    assert Path(found["states"]).is_file()
    found = answer("sample", "sp500", "-o", tmp_path / "m.csv")
    assert (found["rows"], found["states"]) == (5031, None)


def test_predict_gives_every_bar_where_no_file_is_named_and_embed_counts(answer, data, tmp_path):
    found = answer("predict", MODEL, data)
    bars = found["bars"]
    assert {len(values) for values in bars.values()} == {found["rows"]} == {400}
    assert (bars["time"][0], bars["regime"][0]) == ("2020-01-01", None)
    written = answer("predict", MODEL, data, "-o", tmp_path / "l.csv")
    assert written["path"] == str(tmp_path / "l.csv")
    assert written["regimes"] == found["regimes"]
    table = pd.read_csv(tmp_path / "l.csv")
    assert table["regime"].dropna().tolist() == [k for k in bars["regime"] if k is not None]
    assert table["novelty"].dropna().tolist() == [v for v in bars["novelty"] if v is not None]
    found = answer("embed", MODEL, data, "-o", tmp_path / "e.npy")
    assert np.load(tmp_path / "e.npy").shape == (found["windows"], found["numbers"])


def test_what_was_decided_is_among_the_notes(data, run, tmp_path):
    """As on standard error, line by line, of every verb that reads a table."""
    frame = pd.read_csv(data)[::-1]
    frame.to_csv(tmp_path / "t.csv", index=False)
    table = tmp_path / "t.csv"
    for arguments in (
        ("predict", MODEL, table),
        ("embed", MODEL, table, "-o", tmp_path / "e.npy"),
        ("analyse", MODEL, table),
        ("drift", MODEL, table, "--last", 100),
        ("compare", MODEL, MODEL, table),
        ("report", MODEL, table, "-o", tmp_path / "r.png"),
        ("fit", table, "-o", tmp_path / "m.onnx", "--n-regimes", 2, "--window-size", 5),
    ):
        shown = run(*arguments, "--json")
        notes = json.loads(shown.out)["notes"]
        assert any("newest first" in note for note in notes), arguments
        assert [f"regimetry: {note}" for note in notes] == shown.err.splitlines()
    assert json.loads(run("predict", MODEL, data, "--json").out)["notes"] == []


def test_bench_gives_the_time_of_a_tick_by_what_it_computes(answer):
    assert answer("bench", MODEL, "--seconds", 1, "--streams", 5)["streams"] == 5


def test_serve_says_where_it_listens():
    command = [sys.executable, "-I", "-m", "regimetry", "serve", MODEL, "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        try:
            lines = []
            while not lines or lines[-1] != b"}\n":
                lines.append(process.stdout.readline())
                assert lines[-1]
            found = json.loads(b"".join(lines))
            with urllib.request.urlopen(f"{found['url']}/v2/models/{found['name']}") as reply:
                assert {o["name"] for o in json.load(reply)["outputs"]} == {*OUTPUT_NAMES}
        finally:
            process.terminate()
        assert process.wait() == 0


def test_stream_says_errors_as_json(data, stream, feed):
    assert len(stream(data.read_bytes(), "--json")) == 400
    bad = feed("a,b\n1,2\n", "stream", MODEL, "--json", code=2)
    assert bad.out == ""
    assert json.loads(bad.err)["exit_code"] == 2


@pytest.fixture(scope="module")
def with_density(data, tmp_path_factory):
    from regimetry.cli import main

    path = tmp_path_factory.mktemp("density") / "m.onnx"
    options = ["--window-size", "10", "--n-regimes", "2", "--evidence", "window"]
    assert main(["fit", str(data), "-o", str(path), *options]) == 0
    return path


def test_forecast_gives_every_step(answer, run, data, with_density):
    found = answer(
        "forecast", with_density, data, "--horizon", 3, "--quantiles", "0.05,0.95", "--seed", 1
    )
    steps = found["steps"]
    assert [step["step"] for step in steps] == [1, 2, 3]
    close = steps[0]["columns"]["close"]
    assert close["read_as"] == "log_difference"
    assert close["quantiles"]["0.05"] < close["mean"] < close["quantiles"]["0.95"]
    assert close["deviation"] == pytest.approx(0.01, rel=0.5)
    assert sum(steps[2]["probability"].values()) == pytest.approx(1, abs=1e-5)
    shown = run("forecast", with_density, data).out
    assert "bars ahead" in shown
    assert "log difference" in shown
    assert "horizon is 0" in run("forecast", with_density, data, "--horizon", 0, code=2).err


def test_inspect_shows_what_regimes_say_of_bars(answer, run, with_density):
    cards = answer("inspect", with_density)["emission"]
    assert [card["name"] for card in cards] == ["regime_0", "regime_1"]
    assert answer("inspect", with_density, "--emission")["emission"] == cards
    shown = run("inspect", with_density, "--emission").out
    assert "freedom" in shown
    assert f"{cards[0]['mean'][0]:.4g}" in shown
    assert "Mean log score of the training rows, each given those before it" in shown
