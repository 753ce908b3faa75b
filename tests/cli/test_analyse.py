"""``regimetry analyse`` as a person uses it."""

import json

import numpy as np
import pandas as pd
import pytest


def test_tables_for_people_and_which_column_could_be_the_price(model_path, data, run):
    out = run("analyse", model_path, data, "--price", "x3", "--columns", "x0,x1").out
    for text in ("long run", "95% interval", "from \\ to", "Sharpe", "in a spell", "last regime",
                 "in 20 rows", "entropy rate", "strongest:", "x0 ", "75%"):  # fmt: skip
        assert text in out
    captured = run("analyse", model_path, data, "--json")
    assert "no performance: No column is called close or price; these could be the price: x3" in (
        captured.err
    )
    found = json.loads(captured.out)
    assert found["data"]["price"] is None
    assert found["regimes"][0]["performance"] == {}


def test_files_for_strategies(model_path, model, data, values, tmp_path, answer):
    out = tmp_path / "out"
    arguments = ["--price", "x3", "-o", out, "--bars-per-year", "365"]
    printed = answer("analyse", model_path, data, *arguments)
    assert sorted(path.name for path in out.iterdir()) == ["decisions.csv", "regimes.json"]
    written = json.loads((out / "regimes.json").read_text(encoding="utf-8"))
    assert {**written, "notes": []} == printed
    decisions = pd.read_csv(out / "decisions.csv", parse_dates=["date"])
    labels = model.predict(values)
    assert len(decisions) == len(values)
    np.testing.assert_array_equal(decisions["regime"].fillna(-1), labels)
    assert decisions["name"].dropna().unique().tolist()[0].startswith("regime_")
    p = model.predict_proba(values)
    chosen = p[np.arange(len(p)), np.maximum(labels, 0)]
    np.testing.assert_allclose(decisions["probability"], chosen, atol=1e-6)
    power = np.linalg.matrix_power(np.array(model.contract.transition_matrix), 5)
    np.testing.assert_allclose(decisions["p_1_5"], (p @ power)[:, 1], atol=1e-6)
    counts = np.array(written["analysis"]["transitions"]["counts"])
    present = labels[labels >= 0]
    assert counts.sum() == len(present) - 1
    returns = values[1:, 3] / values[:-1, 3] - 1
    for regime in written["regimes"]:
        chosen = returns[labels[1:] == regime["number"]]
        found = regime["performance"]["same"]
        assert found["bars"] == len(chosen)
        assert found["bars_per_year"] == 365
        assert found["volatility"] == pytest.approx(chosen.std(ddof=1) * 365**0.5)
    assert written["model"]["fingerprint"] == model.contract.training.fingerprint
    assert written["data"]["price"] == "x3"


def test_gaps_are_no_transitions(model_path, data, answer):
    frame = pd.read_csv(data, parse_dates=["date"])
    frame.loc[300:, "date"] += pd.Timedelta("60D")
    frame.to_csv(data, index=False)
    totals = []
    for gap in ([], ["--max-gap", "10D"], ["--max-gap", "100D"]):
        found = answer("analyse", model_path, data, *gap)["analysis"]
        totals.append(np.sum(found["transitions"]["counts"]))
    # Nor is there a label before a full window has come again: 10 bars, and the step over the gap.
    assert totals == [totals[0], totals[0] - 11, totals[0]]


def test_one_row_more_than_a_window_has_an_answer(model_path, data, run, answer):
    pd.read_csv(data).iloc[:11].to_csv(data, index=False)
    arguments = ["analyse", model_path, data, "--price", "x3"]
    assert "changes       0" in run(*arguments).out
    assert answer(*arguments)["analysis"]["bars"] == 1


def test_bad_input_is_one_sentence_and_leaves_nothing(model_path, data, tmp_path, run):
    table, out, file, short = data, tmp_path / "out", tmp_path / "file", tmp_path / "short.csv"
    pd.read_csv(data).iloc[:1].to_csv(short, index=False)
    file.touch()
    before = sorted(tmp_path.iterdir())
    price = ["--price", "x3"]
    for message, *arguments in (
        ("no column of numbers 'q'; these could be the price: x3", table, "--price", "q"),
        ("prices must be positive", table, "--price", "x0"),
        ("no column of numbers 'q'; the columns are x0", table, "--columns", "q"),
        ("bars_per_year is 0", table, *price, "--bars-per-year", "0"),
        ("max_gap is 'soon'; it must be a duration", table, "--max-gap", "soon"),
        ("it must be above 0", table, "--max-gap=-5D"),
        ("The data have 1 rows; the model reads 11 at once", short),
        ("is a file; -o names a folder", table, "-o", file),
        ("does not exist", table, "-o", tmp_path / "none" / "out"),
    ):
        given = [] if "-o" in arguments else ["-o", out]
        error = run("analyse", model_path, *arguments, *given, code=2).err
        assert message in error
        assert error.splitlines()[-1].startswith("regimetry: ")
    assert sorted(tmp_path.iterdir()) == before
