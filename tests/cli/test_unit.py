"""A sensor's words: the unit that the user names, its rate, alarms over time, channels apart."""

import re

import numpy as np
import pandas as pd
import pytest

import regimetry as rg
from regimetry.cli import main


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """Two set points of a pressure beside noise, a row a minute, and the model of it."""
    path = tmp_path_factory.mktemp("machine")
    generator = np.random.default_rng(0)
    states = np.repeat([0, 1, 0, 1, 0, 1], 100)
    frame = pd.DataFrame({
        "time": pd.date_range("2024-03-01", periods=600, freq="min"),
        "pressure": 50 + 5 * states + generator.standard_normal(600),
        "noise": generator.standard_normal(600),
    })  # fmt: skip
    frame.to_csv(path / "log.csv", index=False)
    fields = ["--window-size", "10", "--n-regimes", "2", "--unit", "sample", "--names", "auto"]
    assert main(["fit", str(path / "log.csv"), "-o", str(path / "m.onnx"), *fields]) == 0
    return path / "m.onnx", path / "log.csv"


def test_every_verb_says_samples_and_no_bars(machine, tmp_path, run, capsys):
    model, table = machine
    capsys.readouterr()
    pages = [tmp_path / "r.md", tmp_path / "r.html"]
    for page in pages:
        run("report", model, table, "-o", page)
    said = {
        "inspect": run("inspect", model).out,
        "analyse": run("analyse", model, table, "--columns", "noise").out,
        "compare": run("compare", model, model, table).out,
        "drift": run("drift", model, table, "--last", "200").out,
        "predict": run("predict", model, table, "-o", tmp_path / "l.csv").out,
        "page": pages[0].read_text("utf-8"),
    }
    for verb, text in said.items():
        assert "sample" in text, verb
        assert " bar" not in text, verb
        assert "high pressure" in text, verb
    page = pages[1].read_text("utf-8").partition("<script")[0]
    assert "Spells, in samples" in page
    assert "next sample" not in page  # there is no price
    assert "in 5 samples" in said["analyse"]


def test_inspect_says_rate_alarms_and_what_sets_regimes_apart(machine, run, answer):
    model, _ = machine
    out = run("inspect", model).out
    assert "step          1 minute, the median" in out
    assert re.search(r"^novelty       \d+ alarms?, [\d.]+ an? \w+, in sample$", out, re.MULTILINE)
    assert re.search(r"^1 high pressure +pressure \d.* above the next$", out, re.MULTILINE)
    found = answer("inspect", model)
    assert found["unit"] == "sample"
    assert found["training"]["step"] == 60.0
    explained = dict(zip(("pressure", "noise"), found["apart"]["explained"], strict=True))
    assert explained["pressure"] > 0.7
    assert explained["noise"] < 0.1


def test_alarms_stand_in_the_analysis(machine, tmp_path, run, answer):
    model, table = machine
    frame = pd.read_csv(table)
    frame.loc[400:459, "pressure"] = 500.0 + np.arange(60)
    frame.to_csv(tmp_path / "odd.csv", index=False)
    found = answer("analyse", model, tmp_path / "odd.csv")["alarms"]
    assert found["count"] >= 1
    minutes = 600 - rg.load(model).rows
    assert found["seconds"] == 60 * minutes
    assert found["per_day"] == pytest.approx(found["count"] * 1440 / minutes)
    assert "novelty       " in run("analyse", model, tmp_path / "odd.csv").out
    assert answer("analyse", model, table)["alarms"]["count"] < found["count"]


def test_the_step_is_that_of_rows_that_follow_each_other(unfitted, values):
    def step(index):
        frame = pd.DataFrame(values[:300], columns=list("abcd"), index=index)
        return unfitted("window").fit(frame).model_.contract.training.step

    assert step(pd.date_range("2024-01-01", periods=300, freq="500ms")) == 0.5
    assert step(pd.RangeIndex(300)) is None


def test_a_column_of_known_states_names_the_regimes(machine, tmp_path, run, answer, refuses):
    _, table = machine
    frame = pd.read_csv(table)
    frame["state"] = ""
    frame.loc[20:80, "state"], frame.loc[120:180, "state"] = "idle", "load"
    frame.to_csv(tmp_path / "t.csv", index=False)
    arguments = ["fit", tmp_path / "t.csv", "-o", tmp_path / "m.onnx", "--window-size", "10",
                 "--n-regimes", "2"]  # fmt: skip
    shown = run(*arguments, "--labels-column", "state").out
    assert "0 idle" in shown
    assert "1 load" in shown
    assert re.search(
        r"Of 122 rows whose state was known, \d+% are in the regime of their state", shown
    )
    found = answer("inspect", tmp_path / "m.onnx")
    assert [column["name"] for column in found["schema"]] == ["pressure", "noise"]
    assert found["training"]["known"]["states"] == ["idle", "load"]
    labels = answer("predict", tmp_path / "m.onnx", tmp_path / "t.csv")["bars"]["regime_name"]
    assert labels[60] == "idle"
    assert labels[160] == "load"
    message = "labels_column is 'mode', which is no column; the columns are pressure, noise, state."
    refuses(message, *arguments, "--labels-column", "mode")
    message = "labels_column is 'noise', which is a column that the model reads"
    refuses(message, *arguments, "--labels-column", "noise", "--columns", "noise,pressure")
