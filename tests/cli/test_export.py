"""``regimetry export`` as a person uses it."""

import json
import shutil
import sys
from dataclasses import dataclass, replace
from types import ModuleType

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from onnx import helper, numpy_helper
from regimetry.export.probe import probe_windows

import regimetry as rg
from regimetry.check import reader
from regimetry.check.golden import golden_path
from regimetry.cli import main
from regimetry.contract import FORM_KEY
from regimetry.errors import ModelError
from regimetry.export.stamp import stamp


@pytest.fixture
def copy(model_path, tmp_path):
    shutil.copyfile(model_path, tmp_path / "m.onnx")
    shutil.copyfile(golden_path(model_path), tmp_path / "m.golden.json")
    return tmp_path / "m.onnx"


@pytest.fixture
def table(values, tmp_path):
    path = tmp_path / "t.csv"
    pd.DataFrame(values, columns=["x0", "x1", "x2", "x3"]).to_csv(path, index=False)
    return path


@pytest.fixture
def plain(copy):
    """A file of before the rules: its contract has no record of them."""
    contract = rg.load(copy).contract
    training = {name: value for name, value in contract.training.items() if name != "graph"}
    copy.write_bytes(stamp(onnx.load(copy), replace(contract, training=training)))
    return copy


@dataclass(frozen=True)
class Report:
    """What a rewrite rule reports."""

    rule: str = "fold attention"
    applied: int = 2
    refused: tuple[str, ...] = ("block 3: too wide",)
    nodes_before: int = 200
    nodes_after: int = 100
    operations_before: int = 5000
    operations_after: int = 1000
    bytes_before: int = 9000
    bytes_after: int = 9000


@pytest.fixture
def rules(monkeypatch):
    """Stand in for the rewrite rules: each test says what they do to the graph."""

    def use(optimise):
        module = ModuleType("regimetry.export.rules")
        module.optimise = optimise
        monkeypatch.setitem(sys.modules, "regimetry.export.rules", module)

    return use


def shifted(model, name, by):
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    tensor = next(t for t in changed.graph.initializer if t.name == name)
    array = numpy_helper.to_array(tensor).copy()
    array.flat[0] += by
    tensor.CopyFrom(numpy_helper.from_array(array, name))
    return changed


def test_float16_is_measured_and_written(copy, table, tmp_path, capsys):
    out = tmp_path / "h.onnx"
    arguments = ["export", str(copy), str(out), "--target", "float16", "--data", str(table)]
    assert main(arguments) == 0
    text = capsys.readouterr().out
    assert "of 754 windows" in text  # 64 golden ones and 690 of the table
    assert "microseconds a window" in text
    assert out.stat().st_size < copy.stat().st_size
    model = rg.load(out)
    assert model.contract == rg.load(copy).contract
    assert main(["verify", str(out)]) == 0  # the golden file came along
    assert main(["inspect", str(out), "--json"]) == 0
    text = capsys.readouterr().out
    assert json.loads(text[text.index("{") :])["precision"] == "float16"
    again = ["export", str(out), str(tmp_path / "h2.onnx"), "--target", "float16"]
    assert main(again) == 2
    assert "is a float16 file already" in capsys.readouterr().err


def test_float16_that_changes_regimes_is_refused_unless_forced(copy, tmp_path, capsys):
    """Products with 1e-8, which float16 takes for 0, and their repair: the same in float32."""
    model = onnx.load(copy)
    for node in model.graph.node:
        node.input[:] = ["restored" if name == "scaled" else name for name in node.input]
    place = 1 + next(i for i, n in enumerate(model.graph.node) if "scaled" in n.output)
    model.graph.node.insert(place, helper.make_node("Mul", ["small", "huge"], ["restored"]))
    model.graph.node.insert(place, helper.make_node("MatMul", ["scaled", "tiny"], ["small"]))
    tiny, huge = np.eye(4, dtype=np.float32) * np.float32(1e-8), np.array(1e8, dtype=np.float32)
    model.graph.initializer.append(numpy_helper.from_array(tiny, "tiny"))
    model.graph.initializer.append(numpy_helper.from_array(huge, "huge"))
    onnx.save(model, copy)
    assert main(["verify", str(copy), "--runtime", "onnxruntime"]) == 0
    out = tmp_path / "h.onnx"
    arguments = ["export", str(copy), str(out), "--target", "float16"]
    assert main(arguments) == 1
    captured = capsys.readouterr()
    assert "where 99.5% is asked for. Nothing was written" in captured.err
    assert "regimes agree on" in captured.out
    assert not out.exists()
    assert not golden_path(out).exists()
    assert main([*arguments, "--force", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["agreement"] < 0.995
    assert found["bytes_after"] == out.stat().st_size
    assert main(["verify", str(out), "--runtime", "onnxruntime"]) == 1  # forced is not verified


def test_float16_needs_windows(copy, tmp_path, capsys):
    golden_path(copy).unlink()
    out = str(tmp_path / "h.onnx")
    assert main(["export", str(copy), out, "--target", "float16"]) == 2
    assert "nothing to measure on" in capsys.readouterr().err
    short = tmp_path / "short.csv"
    short.write_text("x0,x1,x2,x3\n1,2,3,4\n")
    arguments = ["export", str(copy), out, "--target", "float16", "--data", str(short)]
    assert main(arguments) == 2
    assert "has 1 rows; the model reads 11" in capsys.readouterr().err


ORDERS = [
    "{m} --target triton {d}",
    "--target triton {m} {d}",
    "{m} {d} --target triton",
    "{m} --target triton --json {d}",
]


@pytest.mark.parametrize("order", ORDERS)
def test_files_and_options_come_in_any_order(copy, tmp_path, order):
    folder = tmp_path / "repository"
    assert main(["export", *order.format(m=copy, d=folder).split()]) == 0
    assert (folder / copy.stem / "config.pbtxt").is_file()


def test_triton_writes_a_repository(copy, tmp_path, capsys):
    arguments = ["export", str(copy), str(tmp_path / "repository"), "--target", "triton"]
    assert main([*arguments, "--kind", "cpu", "--instances", "2"]) == 0
    assert "m: config.pbtxt and 1/model.onnx" in capsys.readouterr().out
    text = (tmp_path / "repository" / "m" / "config.pbtxt").read_text()
    assert "KIND_CPU" in text
    assert "count: 2" in text
    assert main(arguments) == 2
    assert "exists already" in capsys.readouterr().err
    assert main([*arguments, "--name", "other", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["path"].endswith("other")


def test_rewritten_file_keeps_what_it_says_and_gains_the_reports(plain, tmp_path, rules, capsys):
    rules(lambda model: (model, (Report(),)))
    out = tmp_path / "fast.onnx"
    assert main(["export", str(plain), str(out), "--target", "onnx", "--explain"]) == 0
    text = capsys.readouterr().out
    assert "200 -> 100" in text
    assert "5,000 -> 1,000" in text
    assert "fold attention: block 3: too wide" in text
    assert "regimes in 0 of 64 windows" in text
    before, after = rg.load(plain).contract, rg.load(out).contract
    assert after.regimes == before.regimes
    assert after.training["graph"][0]["applied"] == 2
    assert {k: v for k, v in after.training.items() if k != "graph"} == dict(before.training)
    assert main(["verify", str(out), "--runtime", "onnxruntime"]) == 0

    rules(lambda model: (model, ()))  # the file's own record stands before what the rules say now
    capsys.readouterr()
    assert main(["export", str(out), "--explain", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rules"][0]["rule"] == "fold attention"


@pytest.mark.parametrize("with_golden", [True, False])
def test_a_rewrite_that_changes_the_result_is_not_written(
    copy, tmp_path, rules, capsys, with_golden
):
    if not with_golden:
        golden_path(copy).unlink()
    before = sorted(tmp_path.iterdir())
    rules(lambda model: (shifted(model, "head/centroids", 0.02), (Report(),)))
    out = tmp_path / "fast.onnx"
    assert main(["export", str(copy), str(out), "--target", "onnx"]) == 1
    assert "differs from it: distance by" in capsys.readouterr().err
    assert sorted(tmp_path.iterdir()) == before
    rules(lambda model: (model, (Report(),)))
    assert main(["export", str(copy), str(out), "--target", "onnx"]) == 0
    assert golden_path(out).exists() == with_golden


def test_a_file_may_be_rewritten_in_place_by_the_real_rules(plain):
    assert main(["export", str(plain), str(plain), "--target", "onnx"]) == 0
    assert len(rg.load(plain).contract.training["graph"]) > 5
    assert main(["verify", str(plain), "--runtime", "onnxruntime"]) == 0


def test_explain_shows_what_the_rules_did_at_the_fit(copy, capsys):
    assert main(["export", str(copy), "--explain"]) == 0
    text = capsys.readouterr().out
    assert "multiply-accumulates a window" in text
    assert main(["export", str(copy), "--explain", "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)["rules"]
    assert reports == rg.load(copy).contract.training["graph"]
    assert all(report["rule"] in text for report in reports)
    assert reports[0]["nodes_before"] > reports[-1]["nodes_after"]


@pytest.mark.parametrize("with_golden", [True, False])
def test_the_series_form_gives_a_row_a_bar(copy, tmp_path, values, capsys, with_golden):
    if not with_golden:
        golden_path(copy).unlink()
    out = tmp_path / "series.onnx"
    assert main(["export", str(copy), str(out), "--target", "series"]) == 0
    assert golden_path(out).exists() == with_golden
    session = onnxruntime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    (regime,) = session.run(["regime"], {"series": values.astype(np.float32)})
    expected = rg.load(copy).outputs(values)["regime"]
    np.testing.assert_array_equal(regime, expected)
    metadata = session.get_modelmeta().custom_metadata_map
    assert metadata[FORM_KEY] == "series"
    with pytest.raises(
        ModelError, match=r"series\.onnx is of the series form, for other.*Load the window form"
    ):
        rg.load(out)
    capsys.readouterr()
    assert main(["inspect", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["form"] == "series"
    if with_golden:
        assert main(["verify", str(out)]) == 0
    for target in ("series", "float16", "triton"):
        assert main(["export", str(out), str(tmp_path / "x.onnx"), "--target", target]) == 2
        assert "series" in capsys.readouterr().err


def test_bad_input_makes_no_file(copy, tmp_path, capsys, model_path):
    stranger = onnx.load(copy)
    del stranger.metadata_props[:]
    onnx.save(stranger, tmp_path / "stranger.onnx")
    (tmp_path / "text.onnx").write_text("not a model")
    with (tmp_path / "large.onnx").open("wb") as file:
        file.truncate(2**31)  # takes no space on disk
    before = sorted(tmp_path.iterdir())
    out, model = str(tmp_path / "o.onnx"), str(copy)
    for arguments, message in (
        ([model], "Name both a file to write and --target"),
        ([model, out], "Name both a file to write and --target"),
        ([model, "--target", "onnx"], "Name both a file to write and --target"),
        ([model, out + ".txt", "--target", "onnx"], "must end in .onnx"),
        ([model, str(tmp_path / "no" / "o.onnx"), "--target", "float16"], "does not exist"),
        ([model, str(tmp_path / "no" / "o"), "--target", "triton"], "does not exist"),
        ([model, out, "--target", "triton", "--kind", "tpu"], "kind is 'tpu'"),
        ([str(tmp_path / "none.onnx"), out, "--target", "onnx"], "no model file"),
        ([str(tmp_path / "text.onnx"), out, "--target", "float16"], "cannot be read as an ONNX"),
        ([str(tmp_path / "stranger.onnx"), out, "--target", "onnx"], "not a regimetry model"),
        ([str(tmp_path / "large.onnx"), out, "--target", "onnx"], "at most 2 GiB"),
    ):
        assert main(["export", *arguments]) == 2, arguments
        error = capsys.readouterr().err
        assert message in error
        assert error.count("\n") == 1
    with pytest.raises(SystemExit) as stopped:
        main(["export", model, out, "--target", "tensorrt"])
    assert stopped.value.code == 2
    assert sorted(tmp_path.iterdir()) == before


def test_a_model_that_grows_too_large_is_refused(copy, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(reader, "LARGEST_BYTES", copy.stat().st_size - 1)
    assert main(["inspect", str(copy)]) == 2
    assert "one ONNX file holds at most 2 GiB" in capsys.readouterr().err


def test_probe_windows_look_like_the_training_rows(detector):
    contract = detector.model_.contract
    windows = probe_windows(contract, 2000)
    assert windows.shape == (2000, 11, 4)
    assert windows.dtype == np.float32
    np.testing.assert_array_equal(windows, probe_windows(contract, 2000))
    features = np.concatenate(
        [windows[:, 1:, :3], np.log(windows[:, 1:, 3:] / windows[:, :-1, 3:])], axis=2
    )
    mean, deviation = np.array(contract.mean), 1 / np.array(contract.scale)
    np.testing.assert_allclose(features.mean((0, 1)), mean, atol=0.05 * deviation.max())
    np.testing.assert_allclose(features.std((0, 1)), deviation, rtol=0.05)
