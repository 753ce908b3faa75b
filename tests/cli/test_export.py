"""``regimetry export`` as a person uses it."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import regimetry as rg
from regimetry.check.golden import golden_path
from regimetry.cli import main
from regimetry.contract import FORM_KEY
from regimetry.errors import ModelError
from regimetry.export import series_form
from regimetry.export.rules import RULES
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


def test_triton_writes_a_repository(copy, tmp_path, run, answer, refuses):
    arguments = ["export", copy, tmp_path / "repository", "--target", "triton"]
    shown = run(*arguments, "--kind", "cpu", "--instances", "2").out
    assert "m: config.pbtxt and 1/model.onnx" in shown
    text = (tmp_path / "repository" / "m" / "config.pbtxt").read_text()
    assert "KIND_CPU" in text
    assert "count: 2" in text
    refuses("exists already", *arguments)
    assert answer(*arguments, "--name", "other")["path"].endswith("other")


def test_explain_shows_what_the_rules_did_at_the_fit(run, answer):
    path = Path(__file__).parents[1] / "contract" / "files" / "format3.onnx"  # tf2onnx wrote it
    text = run("export", path, "--explain").out
    assert "multiply-accumulates per window" in text
    reports = answer("export", path, "--explain")["rules"]
    record = rg.load(path).contract.training.graph
    assert [report["rule"] for report in reports] == [report.rule for report in record]
    assert all(report["rule"] in text for report in reports)
    assert reports[0]["nodes_before"] > reports[-1]["nodes_after"]


def test_explain_asks_the_rules_where_the_encoder_was_written_from_its_weights(copy, answer):
    assert rg.load(copy).contract.training.graph == ()
    reports = answer("export", copy, "--explain")["rules"]
    assert [report["rule"] for report in reports] == [rule.name for rule in RULES]
    assert reports[-1]["operations_after"] == reports[0]["operations_before"]  # none to save


def test_the_series_form_gives_a_row_a_bar(copy, tmp_path, values, run, answer, refuses):
    out = tmp_path / "series.onnx"
    assert "it gives the golden outputs" in run("export", copy, out, "--target", "series").out
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
    assert answer("inspect", out)["form"] == "series"
    run("verify", out)  # the golden file came along
    for target in ("series", "triton"):
        refuses("series", "export", out, tmp_path / "x.onnx", "--target", target)


def test_a_series_form_that_is_not_the_same_is_not_written(
    copy, tmp_path, monkeypatch, run, refuses
):
    before, real = sorted(tmp_path.iterdir()), series_form.to_series

    def wrong(model):
        node = next(node for node in model.graph.node if node.op_type == "ArgMin")
        node.op_type = "ArgMax"
        return real(model)

    out = ["export", copy, tmp_path / "s.onnx", "--target", "series"]
    monkeypatch.setattr(series_form, "to_series", wrong)
    said = run(*out, code=1).err
    assert "is not the same: it differs from the golden file: regime by" in said
    monkeypatch.undo()
    golden_path(copy).rename(tmp_path / "kept")
    refuses("no golden file", *out)
    (tmp_path / "kept").rename(golden_path(copy))
    assert sorted(tmp_path.iterdir()) == before


def test_bad_input_makes_no_file(copy, tmp_path, refuses):
    stranger = onnx.load(copy)
    del stranger.metadata_props[:]
    onnx.save(stranger, tmp_path / "stranger.onnx")
    (tmp_path / "text.onnx").write_text("not a model")
    with (tmp_path / "large.onnx").open("wb") as file:
        file.truncate(2**31)  # takes no space on disk
    before = sorted(tmp_path.iterdir())
    out, no = tmp_path / "o.onnx", tmp_path / "no"
    both, series_form = "Name both a file to write and --target", ["--target", "series"]
    for message, *arguments in (
        (both, copy),
        (both, copy, out),
        (both, copy, *series_form),
        ("must end in .onnx", copy, tmp_path / "o.onnx.txt", *series_form),
        ("does not exist", copy, no / "o.onnx", *series_form),
        ("does not exist", copy, no / "o", "--target", "triton"),
        ("kind is 'tpu'", copy, out, "--target", "triton", "--kind", "tpu"),
        ("no model file", tmp_path / "none.onnx", out, *series_form),
        ("cannot be read as an ONNX", tmp_path / "text.onnx", out, *series_form),
        ("not a regimetry model", tmp_path / "stranger.onnx", out, *series_form),
        ("at most 2 GiB", tmp_path / "large.onnx", out, *series_form),
    ):
        refuses(message, "export", *arguments)
    with pytest.raises(SystemExit, match="2"):
        main(["export", str(copy), str(out), "--target", "tensorrt"])
    assert sorted(tmp_path.iterdir()) == before


def test_a_model_that_grows_too_large_is_refused(copy, refuses, monkeypatch):
    monkeypatch.setattr(graphfile, "LARGEST_BYTES", copy.stat().st_size - 1)
    refuses("one ONNX file holds at most 2 GiB", "inspect", copy)
