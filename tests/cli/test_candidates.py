"""What `fit` and `inspect` say of the number of regimes, and `fit --align-to`."""

import json
from dataclasses import replace

import pytest

from regimetry.cli import main
from regimetry.cli.output import landmark_text
from regimetry.contract import Landmarks, TrainingRecord


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("candidates")
    assert main(["sample", "simulated", "--rows", "700", "-o", str(path / "sim.csv")]) == 0
    lines = (path / "sim.csv").read_text().splitlines(keepends=True)
    (path / "early.csv").write_text("".join(lines[:501]))
    (path / "quick.yaml").write_text(
        "objective: none\nencoder: {embedding_dim: 8, num_heads: 2, head_size: 8, ff_dim: 16, "
        "num_transformer_blocks: 1}\n"
    )
    return path


def fit(folder, data, model, *options):
    arguments = ["fit", str(folder / data), "-o", str(folder / model)]
    return main([*arguments, "--config", str(folder / "quick.yaml"), *options])


def test_the_table_is_shown_never_only_one_number(folder, capsys):
    assert fit(folder, "early.csv", "old.onnx", "--min-dwell", "600") == 0
    shown = capsys.readouterr().out
    assert "a regime lasts" in shown
    assert "less than 600" in shown
    assert "> 1" in shown
    assert main(["inspect", str(folder / "old.onnx")]) == 0
    card = capsys.readouterr().out
    for text in ("stability", "shortest dwell", "landmarks", "+-", "less than 600"):
        assert text in card


def test_window_sizes_are_shown_where_one_was_chosen(folder, capsys):
    arguments = ["sample", "simulated", "--rows", "2000", "-o", str(folder / "long.csv")]
    assert main(arguments) == 0
    options = ("--n-regimes", "3", "--n-landmarks", "200", "--evidence", "window")
    assert fit(folder, "long.csv", "window.onnx", *options, "--window-size", "auto") == 0
    shown = capsys.readouterr().out
    for text in ("agreement", "> 10", "2000 rows hold fewer than 100 such windows side by side"):
        assert text in shown
    assert "Landmarks even in time: regimes explain 0." in shown
    assert main(["inspect", str(folder / "window.onnx")]) == 0
    card = capsys.readouterr().out
    assert "2000 rows hold fewer than 100" in card
    assert "Landmarks even in time: regimes explain 0." in card
    assert main(["inspect", str(folder / "window.onnx"), "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    table = card["training"]["window_candidates"]
    assert [entry["window_size"] for entry in table if entry["chosen"]] == [card["window_size"]]
    assert fit(folder, "long.csv", "window.onnx", *options, "--window-size", "10") == 0
    assert "agreement" not in capsys.readouterr().out


def test_a_refit_says_what_became_of_the_regimes(folder, capsys):
    assert fit(folder, "early.csv", "old.onnx", "--n-regimes", "2") == 0
    old = str(folder / "old.onnx")
    assert "kept" not in capsys.readouterr().out
    assert fit(folder, "sim.csv", "new.onnx", "--n-regimes", "3", "--align-to", old) == 0
    shown = capsys.readouterr().out
    assert "born regime_2" in shown
    assert "by overlap over 491 shared bars" in shown
    assert main(["inspect", str(folder / "new.onnx")]) == 0
    assert "born regime_2" in capsys.readouterr().out
    assert main(["inspect", str(folder / "new.onnx"), "--json"]) == 0
    training = json.loads(capsys.readouterr().out)["training"]
    assert training["alignment"]["born"] == ["regime_2"]
    assert training["alignment"]["looks"] == [0, 1, 2]
    assert [entry["n_regimes"] for entry in training["candidates"] if entry["chosen"]] == [3]


def test_other_columns_are_refused_and_no_file_is_written(folder, capsys):
    assert fit(folder, "early.csv", "old.onnx", "--n-regimes", "2") == 0
    options = ("--align-to", str(folder / "old.onnx"), "--columns", "asset_0,asset_1")
    assert fit(folder, "sim.csv", "other.onnx", *options) == 2
    assert "lack asset_2" in capsys.readouterr().err
    assert not (folder / "other.onnx").exists()


def test_both_measures_of_landmarks_are_shown_where_both_were_taken(model):
    measured = Landmarks(
        drawn="spread",
        explained_even=0.49,
        explained_spread=0.6,
        stability_even=0.78,
        stability_spread=0.93,
    )
    table = tuple(
        replace(entry, landmarks=measured if entry.chosen else Landmarks())
        for entry in model.contract.training.candidates
    )
    shown = landmark_text(replace(model.contract, training=TrainingRecord(candidates=table)))
    assert shown.startswith("Landmarks spread over the space: regimes explain 0.49 of")
    assert shown.endswith("resampling agrees by 0.78 and 0.93.")
    assert landmark_text(replace(model.contract, training=TrainingRecord())) == ""
