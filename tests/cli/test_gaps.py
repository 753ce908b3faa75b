"""Tables with missing values, gaps and equal times through the verbs."""

import json
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import regimetry as rg

EURUSD = Path(os.environ.get("REGIMETRY_DATA", "no folder")) / "eurusd"
QUICK = """
window_size: 5
n_regimes: 2
n_landmarks: 60
encoder: {embedding_dim: 8, head_size: 8, num_heads: 2, ff_dim: 16, num_transformer_blocks: 1}
"""


def sessions(rows=240, bars=40):
    """Five-minute bars with a night between sessions; the first rows lack an indicator."""
    values = rg.simulate("s2", n_rows=400, seed=0).values[:rows]
    frame = pd.DataFrame(values, columns=["a", "b", "c"])
    start = pd.Timestamp("2024-01-01 09:00")
    times = [start + pd.Timedelta(days=t // bars, minutes=5 * (t % bars)) for t in range(rows)]
    frame.insert(0, "when", times)
    frame["mean"] = frame["a"].rolling(4).mean()
    return frame.assign(flag=0, note="x", blank=np.nan)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of sessions, its table, and what the fit said."""
    from regimetry.cli import main

    path = tmp_path_factory.mktemp("gaps")
    (path / "quick.yaml").write_text(QUICK)
    table = sessions()
    table.loc[100:102, "b"] = np.nan
    table.to_csv(path / "t.csv", index=False)
    fit = ["fit", str(path / "t.csv"), "-o", str(path / "m.onnx"), "--config", path / "quick.yaml"]
    assert main([*map(str, fit), "--missing", "gap", "--max-gap", "auto"]) == 0
    return path


def test_a_fit_says_what_it_left_out_and_decided(folder, tmp_path, run):
    arguments = [
        "fit",
        folder / "t.csv",
        "-o",
        tmp_path / "m.onnx",
        "--config",
        folder / "quick.yaml",
    ]
    notes = run(*arguments, "--missing", "gap", "--max-gap", "auto").err.splitlines()
    assert [note.removeprefix("regimetry: ") for note in notes] == [
        "left out, since they are not numbers: note",
        "left out, since they are empty: blank",
        "max_gap is 3000s, found by the steps between rows: windows end at longer ones",
        "left out 3 rows at the beginning, since mean is missing there",
        "left out 3 rows, since b is missing there; the series falls into 7 segments",
        "5 gaps longer than max_gap 3000s split the series into 7 segments",
        "left out, since they are constant: flag",
        "the series holds 47 windows of 5 side by side; 60 would say more: give 300 rows or a "
        "smaller window_size",
    ]
    contract = rg.load(tmp_path / "m.onnx").contract
    assert contract.format_version == 4
    assert (contract.reading.missing, contract.reading.max_gap) == ("gap", "3000s")
    assert contract.schema.names == ("a", "b", "c", "mean")
    assert "rows          missing gap, max_gap 3000s\n" in run("inspect", tmp_path / "m.onnx").out
    named = run(*arguments, "--columns", "a,flag", code=2).err
    assert "Column 'flag' is constant; it cannot tell regimes apart" in named
    refused = run(*arguments, code=2).err
    assert "Row 100 (2024-01-03T10:40:00" in refused
    assert "--missing gap" in refused
    assert "Fill the gap" not in refused


@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_what_predict_writes_joins_to_its_input(folder, tmp_path, run, data):
    rows = data.draw(st.integers(60, 240))
    table = sessions(rows)[["when", "a", "b", "c", "mean"]]
    random = np.random.default_rng(data.draw(st.integers(0, 99)))
    numbers = table[["a", "b", "c", "mean"]]
    table[numbers.columns] = numbers.mask(random.random(numbers.shape) < 0.01)
    if data.draw(st.booleans()):
        table = table.iloc[::-1]
    table.to_csv(tmp_path / "n.csv", index=False)
    options = data.draw(st.sampled_from([[], ["--missing", "ffill"], ["--max-gap", "30D"]]))
    run("predict", folder / "m.onnx", tmp_path / "n.csv", "-o", tmp_path / "out.csv", *options)
    found = pd.read_csv(tmp_path / "out.csv", dtype={"novel": "boolean", "regime": "Int64"})
    assert found["when"].tolist() == pd.read_csv(tmp_path / "n.csv")["when"].tolist()
    changes = dict(zip(["missing" if "missing" in o else "max_gap" for o in options[:1]],
                       options[1:], strict=True))  # fmt: skip
    with pytest.warns(rg.errors.DataWarning):
        labels = rg.load(folder / "m.onnx").with_rules(**changes).predict(table)
    assert found["regime"].fillna(-1).tolist() == labels.fillna(-1).tolist()
    assert found["novel"].isna().tolist() == labels.isna().tolist()


def test_a_stream_answers_as_predict_does_and_names_what_is_missing(folder, run, feed):
    text = (folder / "t.csv").read_text()
    printed = feed(text, "stream", folder / "m.onnx").out
    answers = [json.loads(line) for line in printed.splitlines()]
    bars = json.loads(run("predict", folder / "m.onnx", folder / "t.csv", "--json").out)["bars"]
    assert [answer["regime"] for answer in answers] == bars["regime"]
    assert [answer["novel"] for answer in answers] == bars["novel"]
    assert {type(one) for one in bars["novel"]} == {bool, type(None)}
    lacking = {t: answer["missing"] for t, answer in enumerate(answers) if "missing" in answer}
    assert list(lacking) == [0, 1, 2, 100, 101, 102]
    assert lacking[102] == {"b": {"rows": 3, "since": "2024-01-03T10:40:00.000000"}}
    filled = feed(text, "stream", folder / "m.onnx", "--missing", "ffill").out.splitlines()
    assert json.loads(filled[102])["regime"] is not None
    assert json.loads(filled[102])["missing"]["b"]["rows"] == 3


def test_analyses_take_the_gap_of_the_file(folder, answer, run):
    counts = [
        np.sum(
            answer("analyse", folder / "m.onnx", folder / "t.csv", *gap)["analysis"]["transitions"][
                "counts"
            ]
        )
        for gap in ([], ["--max-gap", "50min"], ["--max-gap", "30D"])
    ]
    assert counts[0] == counts[1] < counts[2]
    embedded = folder / "e.csv"
    run("embed", folder / "m.onnx", folder / "t.csv", "-o", embedded)
    labelled = pd.read_csv(folder / "t.csv")["when"].isin(pd.read_csv(embedded)["when"])
    bars = json.loads(run("predict", folder / "m.onnx", folder / "t.csv", "--json").out)["bars"]
    assert labelled.tolist() == [regime is not None for regime in bars["regime"]]


def test_equal_times_are_kept_when_asked(folder, tmp_path, run):
    table = sessions(80)[["when", "a", "b", "c", "mean"]].iloc[3:]
    table["when"] = table["when"].dt.floor("10min")
    table.to_csv(tmp_path / "n.csv", index=False)
    arguments = ["predict", folder / "m.onnx", tmp_path / "n.csv", "-o", tmp_path / "o.csv"]
    assert "--repeated keep" in run(*arguments, code=2).err
    run(*arguments, "--repeated", "keep")
    found = pd.read_csv(tmp_path / "o.csv", parse_dates=["when"])
    assert found["when"].tolist() == table["when"].tolist()
    assert found["regime"].notna().sum() > 50


@pytest.mark.skipif(not EURUSD.is_dir(), reason="the data are not here")
def test_the_reference_projects_own_example_is_fitted(folder, tmp_path, run):
    table = EURUSD / "EUR_USD_processed_signals.csv"
    arguments = ["--window-size", "30", "--n-regimes", "2", "--config", folder / "quick.yaml"]
    notes = run("fit", table, "-o", tmp_path / "eur.onnx", *arguments).err.splitlines()
    assert len(notes) <= 5
    begins = (
        "left out, since they are not numbers: ML_Trade",
        "left out 1 row at the beginning, since LC_Prev, LP_Prev are missing there",
        "differenced, since they are near a unit root: Open, ",
    )
    for begin, note in zip(begins, notes, strict=True):
        assert note.startswith(f"regimetry: {begin}")


def test_pages_and_comparisons_take_tables_with_gaps(folder, tmp_path, run, answer):
    table, model = folder / "t.csv", folder / "m.onnx"
    report = run("report", model, table, "-o", tmp_path / "r.html", "--price", "a").out
    assert "2 regimes" in report
    found = answer("drift", model, table, "--last", "80")
    assert found["recent"]["rows"] == 68  # 80 less a window of 5 and 8 rows before it
    run("compare", model, model, table)
