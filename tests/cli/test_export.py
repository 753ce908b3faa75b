"""``regimetry export`` as a person uses it."""

import json
from dataclasses import replace

import numpy as np
import onnx
import onnxruntime
import pytest

import regimetry as rg
from regimetry.check.golden import golden_path
from regimetry.cli import main
from regimetry.contract import FORM_KEY
from regimetry.errors import ModelError
from regimetry.export import series
from regimetry.export.stamp import stamp
from regimetry.runtime import graphfile

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


def test_explain_shows_what_the_rules_did_at_the_fit(copy, capsys):
    assert main(["export", str(copy), "--explain"]) == 0
    text = capsys.readouterr().out
    assert "multiply-accumulates a window" in text
    assert main(["export", str(copy), "--explain", "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)["rules"]
    assert [report["rule"] for report in reports] == [
        report.rule for report in rg.load(copy).contract.training.graph
    ]
    assert all(report["rule"] in text for report in reports)
    assert reports[0]["nodes_before"] > reports[-1]["nodes_after"]


def test_explain_asks_the_rules_where_a_file_has_no_record(copy, capsys):
    contract = rg.load(copy).contract
    training = replace(contract.training, graph=())
    copy.write_bytes(stamp(onnx.load(copy), replace(contract, training=training)))
    assert main(["export", str(copy), "--explain", "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)["rules"]
    assert [report["rule"] for report in reports] == [
        report.rule for report in contract.training.graph
    ]
    assert all(report["applied"] == 0 for report in reports)  # they are applied at the fit


def test_the_series_form_gives_a_row_a_bar(copy, tmp_path, values, capsys):
    out = tmp_path / "series.onnx"
    assert main(["export", str(copy), str(out), "--target", "series"]) == 0
    assert "it gives the golden outputs" in capsys.readouterr().out
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
    assert main(["inspect", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["form"] == "series"
    assert main(["verify", str(out)]) == 0  # the golden file came along
    for target in ("series", "triton"):
        assert main(["export", str(out), str(tmp_path / "x.onnx"), "--target", target]) == 2
        assert "series" in capsys.readouterr().err


def test_a_series_form_that_is_not_the_same_is_not_written(copy, tmp_path, monkeypatch, capsys):
    before, real = sorted(tmp_path.iterdir()), series.to_series

    def wrong(model):
        node = next(node for node in model.graph.node if node.op_type == "ArgMin")
        node.op_type = "ArgMax"
        return real(model)

    out = ["export", str(copy), str(tmp_path / "s.onnx"), "--target", "series"]
    monkeypatch.setattr(series, "to_series", wrong)
    assert main(out) == 1
    assert "is not the same: it differs from the golden file: regime by" in capsys.readouterr().err
    monkeypatch.undo()
    golden_path(copy).rename(tmp_path / "kept")
    assert main(out) == 2
    assert "no golden file" in capsys.readouterr().err
    (tmp_path / "kept").rename(golden_path(copy))
    assert sorted(tmp_path.iterdir()) == before


def test_bad_input_makes_no_file(copy, tmp_path, capsys):
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
        ([model, "--target", "series"], "Name both a file to write and --target"),
        ([model, out + ".txt", "--target", "series"], "must end in .onnx"),
        ([model, str(tmp_path / "no" / "o.onnx"), "--target", "series"], "does not exist"),
        ([model, str(tmp_path / "no" / "o"), "--target", "triton"], "does not exist"),
        ([model, out, "--target", "triton", "--kind", "tpu"], "kind is 'tpu'"),
        ([str(tmp_path / "none.onnx"), out, "--target", "series"], "no model file"),
        ([str(tmp_path / "text.onnx"), out, "--target", "series"], "cannot be read as an ONNX"),
        ([str(tmp_path / "stranger.onnx"), out, "--target", "series"], "not a regimetry model"),
        ([str(tmp_path / "large.onnx"), out, "--target", "series"], "at most 2 GiB"),
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
    monkeypatch.setattr(graphfile, "LARGEST_BYTES", copy.stat().st_size - 1)
    assert main(["inspect", str(copy)]) == 2
    assert "one ONNX file holds at most 2 GiB" in capsys.readouterr().err
