"""`--config` and `regimetry config`: files in, sentences out, and the way back from a model."""

import json

import numpy as np
import pandas as pd
import pytest

import regimetry as rg
from regimetry.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A table with a column of names, a run.yaml, and the model that `fit` made of both."""
    path = tmp_path_factory.mktemp("config")
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(generator.standard_normal((150, 3)), columns=["收盘", "no", "prix €"])
    frame.insert(1, "day", [f"d{i % 3}" for i in range(150)])
    frame.to_csv(path / "t.csv", index=False)
    (path / "run.yaml").write_text(
        "columns: [no, day, 收盘]\ncategorical: [day]\nn_regimes: 2\nobjective: none\nseed: 5\n"
        "difference: [no]\nencoder: {embedding_dim: 8, num_heads: 2, head_size: 8}\n",
        encoding="utf-8",
    )
    assert main([*fit(path, "m.onnx"), "--config", str(path / "run.yaml"), "--seed", "3"]) == 0
    return path


def fit(folder, name):
    return ["fit", str(folder / "t.csv"), "-o", str(folder / name)]


def test_flags_and_file_resolve_into_the_model_and_inspect_shows_them(folder, run):
    contract = rg.load(folder / "m.onnx").contract
    assert contract.schema.names == ("no", "day", "收盘")
    assert contract.transforms[0] == "difference"
    assert contract.training.seed == 3  # the flag
    stored = contract.training.configuration
    assert (stored["n_regimes"], stored["objective"]) == (2, None)
    assert (stored["encoder"]["num_heads"], stored["encoder"]["pooling"]) == (2, "moments")
    out = run("inspect", folder / "m.onnx").out
    assert "n_regimes       2" in out
    assert "num_heads 2" in out
    assert "difference      no" in out


def test_the_configuration_of_a_model_fits_the_same_model_again(folder, run, answer):
    text = run("config", "--from", folder / "m.onnx").out
    assert text.startswith("# m.onnx, fitted on 150 rows\n")
    (folder / "again.yaml").write_text(text, encoding="utf-8")
    arguments = [*fit(folder, "again.onnx"), "--config", folder / "again.yaml"]
    run(*arguments)
    assert (folder / "again.onnx").read_bytes() == (folder / "m.onnx").read_bytes()
    # It is the file that does it: with one field changed the model is another.
    assert answer(*arguments, "--smooth-penalty", "2")["smooth_penalty"] == 2.0
    assert (folder / "again.onnx").read_bytes() != (folder / "m.onnx").read_bytes()


def test_the_default_is_printed_checked_and_plain(tmp_path, run, answer, refuses):
    text = run("config", "--print-default").out
    assert "# 'auto' or an integer of at least 2\nwindow_size: auto\n" in text
    path = tmp_path / "run.yaml"
    path.write_text(text)
    assert "every field has a value that is allowed" in run("config", "--check", path).out
    assert answer("config", "--check", path) == answer("config", "--print-default")
    path.write_text(text.replace("window_size: auto", "window_sise: auto"))
    message = "run.yaml: There is no field window_sise. Did you mean window_size?"
    refuses(message, "config", "--check", path)


def test_a_wrong_file_stops_the_fit_and_a_flag_can_take_back_what_it_says(folder, refuses, run):
    (folder / "bad.yaml").write_text("encoder: {pooling: sum}")
    before = sorted(folder.iterdir())
    message = "encoder.pooling is 'sum'; it must be one of 'mean',"
    refuses(message, *fit(folder, "x.onnx"), "--config", folder / "bad.yaml")
    message = "window_size is 'ten'; it must be 'auto' or an integer of at least 2."
    refuses(message, *fit(folder, "x.onnx"), "--window-size", "ten")
    assert sorted(folder.iterdir()) == before
    (folder / "f.yaml").write_text("features: ohlcv\nobjective: none\nn_regimes: 2")
    arguments = [*fit(folder, "n.onnx"), "--config", folder / "f.yaml"]
    refuses("no column named 'open'", *arguments)
    run(*arguments, "--features", "null")


def test_names_go_from_a_flag_to_every_table(folder, run, answer, feed):
    arguments = [*fit(folder, "n.onnx"), "--n-regimes", "2", "--window-size", "8"]
    shown = run(*arguments, "--names", "calm,wild").out
    assert "0 calm" in shown
    assert "1 wild" in shown
    model, table = folder / "n.onnx", folder / "t.csv"
    assert answer("config", "--from", model)["names"] == ["calm", "wild"]
    for verb in (["inspect", model], ["analyse", model, table], ["compare", model, model, table]):
        assert "wild" in run(*verb).out
    written = run("predict", model, table).out.splitlines()
    assert "regime,regime_name,p_calm,p_wild,novelty,novel" in written[0]
    assert any("1,wild," in line for line in written[1:])
    bars = answer("predict", model, table)["bars"]
    called = {0: "calm", 1: "wild", None: None}
    assert bars["regime_name"] == [called[regime] for regime in bars["regime"]]
    answers = feed(table.read_text(encoding="utf-8"), "stream", model).out.splitlines()
    last = json.loads(answers[-1])
    assert last["name"] == called[last["regime"]]
    assert answer(*arguments, "--names", "none")["training"]["configuration"]["names"] is None
    assert "regime_name" not in run("predict", model, table).out
