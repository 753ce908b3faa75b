"""What `fit` and `inspect` say of the number of regimes, and `fit --align-to`."""

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
        "num_transformer_blocks: 1}\nwindow_size: 10\n"
    )
    return path


@pytest.fixture
def fit(folder, run):
    """Fit a table of the folder, quickly; what was printed is the answer."""

    def call(data, model, *options, code=0):
        arguments = [folder / data, "-o", folder / model, "--config", folder / "quick.yaml"]
        return run("fit", *arguments, *options, code=code)

    return call


def test_the_table_is_shown_never_only_one_number(folder, fit, run):
    shown = fit("early.csv", "old.onnx", "--min-dwell", "600")
    for text in ("a regime lasts", "less than 600", "> 10", "One regime with windows of 10;"):
        assert text in shown.out
    assert "old.onnx: 1 regime from" in shown.out
    assert "the series shows one regime alone" in shown.err
    card = run("inspect", folder / "old.onnx").out
    for text in ("recognised", "lasting", "shortest dwell", "less than 600"):
        assert text in card


def test_window_sizes_are_shown_where_one_was_chosen(folder, fit, run, answer):
    options = ("--n-regimes", "3", "--n-landmarks", "200", "--evidence", "window")
    shown = fit("early.csv", "window.onnx", *options, "--window-size", "auto").out
    assert "3 regimes with windows of" in shown
    card = answer("inspect", folder / "window.onnx")
    table = card["training"]["candidates"]
    assert {entry["window_size"] for entry in table} == {10, 20}
    assert [entry["window_size"] for entry in table if entry["chosen"]] == [card["window_size"]]
    both = fit("early.csv", "window.onnx", *options, "--window-size", "10").out
    assert "score" not in both


def test_a_refit_says_what_became_of_the_regimes(folder, fit, run, answer):
    old, new = folder / "old.onnx", folder / "new.onnx"
    assert "kept" not in fit("early.csv", "old.onnx", "--n-regimes", "2").out
    shown = fit("sim.csv", "new.onnx", "--n-regimes", "3", "--align-to", old).out
    assert "born regime_2" in shown
    assert "by overlap over 483 shared rows" in shown
    assert "born regime_2" in run("inspect", new).out
    training = answer("inspect", new)["training"]
    assert training["alignment"]["born"] == ["regime_2"]
    assert training["alignment"]["looks"] == [0, 1, 2]
    assert [entry["n_regimes"] for entry in training["candidates"] if entry["chosen"]] == [3]
    # Other columns are refused, and no file is written.
    options = ("--align-to", old, "--columns", "asset_0,asset_1")
    assert "lack asset_2" in fit("sim.csv", "other.onnx", *options, code=2).err
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
