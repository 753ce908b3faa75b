"""``regimetry refit``: the regimes of a model go on, gated by the golden windows."""

import pandas as pd
import pytest

import regimetry as rg
from regimetry.check.verify import Verification


@pytest.fixture
def old(data, tmp_path, run):
    table = pd.read_csv(data)
    table[:560].to_csv(tmp_path / "old.csv", index=False)
    options = ["--window-size", 10, "--n-regimes", 3, "--seed", 0]
    run("fit", tmp_path / "old.csv", "-o", tmp_path / "old.onnx", *options)
    return tmp_path / "old.onnx"


def test_it_goes_on_and_says_what_moved(old, data, tmp_path, run, answer):
    said = answer("refit", old, data, "-o", tmp_path / "new.onnx")
    before, after = rg.load(old), rg.load(tmp_path / "new.onnx")
    assert said["training"]["rows"] == 700
    assert after.contract.window_size == before.contract.window_size
    assert after.contract.training.seed == before.contract.training.seed
    frame = pd.read_csv(data, index_col="date", parse_dates=True)
    changed = (before.predict(frame) != after.predict(frame)).dropna().mean()
    assert said["moved"]["changed"] == pytest.approx(changed)
    shown = run("refit", old, data, "-o", tmp_path / "again.onnx").out
    assert f"{changed:.1%} of {said['moved']['bars']} rows have another regime than before" in shown
    assert rg.load(tmp_path / "again.onnx").content == after.content
    run("verify", tmp_path / "again.onnx", "--runtime", "onnxruntime")


def test_another_number_is_fitted_anew_and_names_stay(old, data, tmp_path, answer):
    said = answer("refit", old, data, "-o", tmp_path / "new.onnx", "--n-regimes", 2)
    assert said["moved"] is None
    names = [regime["name"] for regime in said["regimes"]]
    assert len(names) == 2
    assert set(names) & {"regime_0", "regime_1", "regime_2"}
    assert said["training"]["alignment"]["to"] == rg.load(old).contract.fingerprint


def test_nothing_is_written_if_the_files_do_not_agree(old, data, tmp_path, monkeypatch, run):
    monkeypatch.setattr(Verification, "problem", property(lambda self: "They differ."))
    error = run("refit", old, data, "-o", tmp_path / "new.onnx", code=1).err
    assert "They differ. Nothing was written." in error
    assert not (tmp_path / "new.onnx").exists()


def test_rows_that_lack_a_regime_are_refused(old, data, tmp_path, refuses):
    pd.read_csv(data)[:40].to_csv(tmp_path / "few.csv", index=False)
    refuses("each regime needs 10", "refit", old, tmp_path / "few.csv", "-o", tmp_path / "n.onnx")
    for wrong in ("x", "1.5"):
        options = ("-o", tmp_path / "n.onnx", "--window-size", wrong)
        refuses("must be 'auto' or an integer of at least 2", "refit", old, data, *options)
    refuses("must end in .onnx", "refit", old, data, "-o", tmp_path / "n.txt")
