"""``regimetry drift`` as a person uses it."""

import json

import numpy as np
import pandas as pd
import pytest

from regimetry.cli import main

COLUMNS = ["x0", "x1", "x2", "x3"]


@pytest.fixture
def tables(values, tmp_path):
    """Training, and the same market later: calm, and ten times as wild."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(values, columns=COLUMNS)
    frame.insert(0, "date", pd.bdate_range("2020-01-01", periods=len(frame)))
    wild = pd.DataFrame(0.25 * generator.standard_normal((300, 3)), columns=COLUMNS[:3])
    wild["x3"] = 100 * np.exp(np.cumsum(0.25 * generator.standard_normal(300)))
    wild.insert(0, "date", pd.bdate_range("2024-01-01", periods=300))
    frame.to_csv(tmp_path / "train.csv", index=False)
    wild.to_csv(tmp_path / "wild.csv", index=False)
    return tmp_path / "train.csv", tmp_path / "wild.csv"


def verdicts(out):
    return {line["name"]: line["verdict"] for line in json.loads(out)["lines"]}


def test_a_market_that_went_wild_has_drifted(model_path, tables, capsys):
    arguments = ["drift", str(model_path), *map(str, tables), "--draws", "199"]
    assert main([*arguments, "--json"]) == 0
    out = capsys.readouterr().out
    assert verdicts(out)["novelty"] == "drift"
    found = json.loads(out)
    assert found["drifted"] is True
    assert found["recent"] == {"rows": 290, "start": "2024-01-15", "end": "2025-02-21"}
    assert main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:6]] == [
        "novelty", "occupancy", "transitions", "dwell",
    ]  # fmt: skip
    assert lines[2].endswith("drift")


def test_training_itself_has_not_drifted(model_path, tables, capsys):
    assert main(["drift", str(model_path), str(tables[0]), str(tables[0]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["drifted"] is False
    assert found["training_share"] == found["recent_share"]


def test_since_and_last_cut_the_same_rows(model_path, tables, capsys):
    frame = pd.read_csv(tables[0])
    since = frame["date"].iloc[-150]
    outs = []
    for cut in (["--since", since], ["--last", "150"]):
        assert main(["drift", str(model_path), str(tables[0]), "--json", *cut]) == 0
        outs.append(json.loads(capsys.readouterr().out))
    assert outs[0] == outs[1]
    assert outs[0]["training_bars"] == 700 - 150 - 10
    assert outs[0]["recent_bars"] == 150 - 10


def test_bad_input_is_one_sentence(model_path, tables, capsys):
    model, train, wild = str(model_path), *map(str, tables)
    for arguments, message in (
        ([train], "The recent stretch is missing; name a second table"),
        ([train, wild, "--last", "50"], "The recent stretch is given twice"),
        ([train, "--last", "0"], "last is 0"),
        ([train, "--last", "5"], "The data have 5 rows; the model reads 11 at once"),
        ([train, "--last", "5000"], "leaves no training before it"),
        ([train, "--since", "2030-01-01"], "There is no bar since 2030-01-01"),
        ([train, "--since", "2001-01-01"], "leaves no training before it"),
        ([train, "--since", "soon"], "since is 'soon'; it must be a date or time"),
        ([train, "--last", "680"], "drift needs at least 23"),
        ([train, wild, "--level", "2"], "level is 2"),
        ([train, wild, "--draws", "3"], "draws is 3"),
    ):
        assert main(["drift", model, *arguments]) == 2, arguments
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
