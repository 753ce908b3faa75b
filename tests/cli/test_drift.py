"""``regimetry drift`` as a person uses it."""

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def tables(data, tmp_path):
    """Training, and the same market later: calm, and ten times as wild."""
    generator = np.random.default_rng(0)
    wild = pd.DataFrame(0.25 * generator.standard_normal((300, 3)), columns=["x0", "x1", "x2"])
    wild["x3"] = 100 * np.exp(np.cumsum(0.25 * generator.standard_normal(300)))
    wild.insert(0, "date", pd.bdate_range("2024-01-01", periods=300))
    wild.to_csv(tmp_path / "wild.csv", index=False)
    return data, tmp_path / "wild.csv"


def test_a_market_that_went_wild_has_drifted(model_path, tables, run, answer):
    arguments = ["drift", model_path, *tables, "--draws", "199"]
    found = answer(*arguments)
    assert {line["name"]: line["verdict"] for line in found["lines"]}["novelty"] == "drift"
    assert found["drifted"] is True
    assert found["recent"] == {"rows": 290, "start": "2024-01-15", "end": "2025-02-21"}
    lines = run(*arguments).out.splitlines()
    names = ["novelty", "occupancy", "transitions", "dwell"]
    assert [line.split()[0] for line in lines[2:6]] == names
    assert lines[2].endswith("drift")


def test_training_has_not_drifted_and_since_and_last_cut_the_same_rows(model_path, tables, answer):
    found = answer("drift", model_path, tables[0], tables[0])
    assert found["drifted"] is False
    assert found["training_share"] == found["recent_share"]
    since = pd.read_csv(tables[0])["date"].iloc[-150]
    found = answer("drift", model_path, tables[0], "--since", since)
    assert found == answer("drift", model_path, tables[0], "--last", "150")
    assert found["training_bars"] == 700 - 150 - 10
    assert found["recent_bars"] == 150 - 10


def test_bad_input_is_one_sentence(model_path, tables, refuses):
    train, wild = tables
    for message, *arguments in (
        ("The recent stretch is missing; name a second table", train),
        ("The recent stretch is given twice", train, wild, "--last", "50"),
        ("last is 0", train, "--last", "0"),
        ("The data have 5 rows; the model reads 11 at once", train, "--last", "5"),
        ("leaves no training before it", train, "--last", "5000"),
        ("There is no bar since 2030-01-01", train, "--since", "2030-01-01"),
        ("leaves no training before it", train, "--since", "2001-01-01"),
        ("since is 'soon'; it must be a date or time", train, "--since", "soon"),
        ("drift needs at least 23", train, "--last", "680"),
        ("level is 2", train, wild, "--level", "2"),
        ("draws is 3", train, wild, "--draws", "3"),
    ):
        refuses(message, "drift", model_path, *arguments)
