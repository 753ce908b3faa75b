"""Verification replays the golden windows, and fails on anything that was changed."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from changed import change_constant, change_golden, save

import regimetry as rg
from regimetry.check import runtimes as runtime_table
from regimetry.check.golden import golden_path
from regimetry.check.reader import read_source
from regimetry.check.runtimes import ONNXRUNTIME, Subject
from regimetry.check.verify import verify
from regimetry.contract import CONTRACT_KEY, OUTPUT_NAMES
from regimetry.errors import ConfigError, ModelError
from regimetry.export.targets import write_series

GRAPHS = ["onnxruntime", "reference", "openvino"]
FLOAT16 = Path(__file__).parent / "files" / "float16.onnx"

PARTS = {
    "one weight": lambda t: t.name.startswith("encoder/") and len(t.dims) == 2,
    "one scaler value": lambda t: t.name == "preprocessing/scale",
    "one mean": lambda t: t.name == "preprocessing/mean",
    "one centroid": lambda t: t.name == "head/centroids",
    "the scale of novelty": lambda t: t.name == "novelty/scale",
}


def reasons(found):
    """Why each runtime failed that did."""
    return {replay.runtime: replay.failure for replay in found.replays if replay.failure}


def test_every_runtime_agrees(copy):
    found = verify(copy)
    assert found.windows == 64
    assert found.problem is None
    *ran, keras = found.replays
    assert [replay.runtime for replay in ran] == GRAPHS
    assert "m.keras is not there" in keras.skipped
    for replay in ran:
        assert set(replay.report.differences) == set(OUTPUT_NAMES)
        assert replay.report.differences["embedding"] < 1e-5
        assert (replay.report.differences["regime"], replay.report.ties, replay.labels) == (0, 0, 0)


def test_keras_weights_are_replayed_where_they_are_at_hand(copy, detector, tmp_path):
    detector.encoder_.save(tmp_path / "m.keras")
    (keras,) = verify(copy, runtimes=["keras"]).replays
    assert keras.failure is None
    assert list(keras.report.differences) == ["embedding"]
    assert keras.report.differences["embedding"] < 1e-6
    shutil.move(tmp_path / "m.keras", tmp_path / "elsewhere.keras")
    again = verify(copy, keras=tmp_path / "elsewhere.keras", runtimes=["keras"])
    assert again.replays == (keras,)
    change_golden(golden_path(copy), "embedding")
    again = verify(copy, keras=tmp_path / "elsewhere.keras", runtimes=["keras"])
    assert "embedding by" in reasons(again)["keras"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (None, "embedding by"),
        ({"embedding_dim": 4}, r"embedding has shape (64, 12), not (64, 24)"),
        ({"window_size": 9}, "it does not run"),
    ],
)
def test_other_keras_weights_fail(copy, detector, tmp_path, changes, reason):
    from regimetry.encoder import EncoderConfig, build_encoder

    config = {**detector.encoder.to_dict(), "window_size": 10, "num_features": 4}
    encoder = build_encoder(EncoderConfig(**{**config, **(changes or {})}))
    if changes is None:  # the fitted weights but for one
        weights = detector.encoder_.get_weights()
        weights[0].flat[0] += 0.05
        encoder.set_weights(weights)
    encoder.save(tmp_path / "m.keras")
    assert reason in reasons(verify(copy, runtimes=["keras"]))["keras"]


@pytest.mark.parametrize("part", list(PARTS))
def test_one_changed_number_in_the_file_is_found_by_every_runtime(copy, part):
    change_constant(copy, PARTS[part])
    found = reasons(verify(copy))
    assert list(found) == GRAPHS
    assert all("differs from the golden file" in reason for reason in found.values())


PINNED = ("labels_from_start", "probabilities_from_start", "novel_from_start")


@pytest.mark.parametrize("field", [*OUTPUT_NAMES, *PINNED])
def test_one_changed_number_in_the_golden_file_is_found(copy, field):
    change_golden(golden_path(copy), field)
    found = verify(copy, runtimes=["onnxruntime"])
    named = {
        "regime": "regime by 1",
        "labels_from_start": "1 of 40 causal labels",
        "novel_from_start": "1 of 40 novel flags",
        "probabilities_from_start": "probability by",
    }
    assert named.get(field, f"{field} by") in reasons(found)["onnxruntime"]
    assert found.problem.startswith(f"{copy} fails: onnxruntime: it differs")


def test_a_graph_that_gives_another_regime_fails(copy):
    model = onnx.load(copy)
    node = next(node for node in model.graph.node if node.op_type == "ArgMin")
    node.op_type = "ArgMax"
    save(model, copy)
    found = reasons(verify(copy))
    assert list(found) == GRAPHS
    assert all("regime by" in reason for reason in found.values())


def test_a_close_call_is_a_tie(copy):
    path = golden_path(copy)
    content = json.loads(path.read_text())
    row = content["distance"][-1]
    order = np.argsort(row)
    content["regime"][-1] = int(order[1])
    content["distance"][-1][order[1]] = row[order[0]] + 1e-5
    path.write_text(json.dumps(content))
    (found,) = verify(copy, runtimes=["onnxruntime"]).replays
    assert "distance by" in found.failure
    assert (found.report.differences["regime"], found.report.ties) == (0, 1)


def test_a_file_that_a_runtime_cannot_run_fails(copy, monkeypatch):
    def refuse(subject, windows):
        raise RuntimeError("no such operator\nand more")

    broken = runtime_table.Runtime("openvino", "openvino", ("openvino",), refuse)
    monkeypatch.setattr("regimetry.check.verify.RUNTIMES", (ONNXRUNTIME, broken))
    assert reasons(verify(copy)) == {"openvino": "it does not run (no such operator)"}


def test_a_runtime_that_is_not_installed_says_so(copy, monkeypatch):
    absent = runtime_table.Runtime("openvino", "no_such_module", ("openvino",), None)
    monkeypatch.setattr("regimetry.check.verify.RUNTIMES", (ONNXRUNTIME, absent))
    found = verify(copy)
    assert found.replays[1].skipped == "not installed: pip install openvino"
    assert found.problem is None
    with pytest.raises(ConfigError, match="openvino cannot be used: not installed"):
        verify(copy, runtimes=["openvino"])


def test_a_broken_installation_says_so(copy, tmp_path, monkeypatch):
    (tmp_path / "broken_runtime.py").write_text("raise OSError('libomp is missing')")
    monkeypatch.syspath_prepend(tmp_path)
    runtime = runtime_table.Runtime("x", "broken_runtime", ("no-such-distribution",), None)
    missing = runtime.missing(Subject(file=read_source(copy)))
    assert "does not import (OSError: libomp is missing)" in missing
    assert runtime.version() == "unknown"


def test_bad_input(copy, tmp_path):
    with pytest.raises(ConfigError, match="runtime is 'tvm'; it must be one of 'onnxruntime'"):
        verify(copy, runtimes=["tvm"])
    with pytest.raises(ModelError, match="no model file"):
        verify(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="no golden file"):
        verify(copy, golden=tmp_path / "none.json")
    with pytest.raises(ModelError, match=r"none\.keras is no \.keras file"):
        verify(copy, keras=tmp_path / "none.keras")
    with pytest.raises(ConfigError, match="keras cannot be used: no weights"):
        verify(copy, runtimes=["keras"])
    (tmp_path / "m.keras").write_text("not a model")
    with pytest.raises(ModelError, match="cannot be read as a Keras encoder"):
        verify(copy)


def test_the_series_form_is_read_and_replayed_window_by_window(copy, tmp_path):
    source, out = read_source(copy), tmp_path / "s.onnx"
    write_series(source, out)
    made = read_source(out)
    assert made == replace(
        source, path=out, content=out.read_bytes(), sha256=made.sha256, input_name="series"
    )
    assert verify(out).problem is None
    change_constant(out, PARTS["one weight"])
    assert list(reasons(verify(out))) == GRAPHS
    model = onnx.load(out)
    del model.graph.output[-1]
    save(model, out)
    with pytest.raises(ModelError, match="its metadata promise"):
        verify(out)


def test_a_float16_file_of_an_earlier_release_runs_and_is_not_verified():
    model, golden = rg.load(FLOAT16), json.loads(golden_path(FLOAT16).read_text())
    window = np.array(golden["window"])
    rows = np.concatenate([window[0], window[1:40, -1]])  # 40 windows that follow each other
    assert model.predict(rows)[len(window[0]) - 1 :].tolist() == golden["labels_from_start"]
    with pytest.raises(ModelError, match="computes in float16; this release runs such a file but"):
        verify(FLOAT16)
    with pytest.raises(ModelError, match="computes in float16"):
        write_series(read_source(FLOAT16), FLOAT16.with_name("s.onnx"))


def test_another_model_than_the_golden_file_was_written_for(copy):
    model = onnx.load(copy)
    for entry in model.metadata_props:
        entry.value = entry.value.replace('"smooth_penalty": 3.0', '"smooth_penalty": 2.0')
    save(model, copy)
    found = verify(copy, runtimes=["onnxruntime"])
    assert reasons(found) == {}
    assert f"its SHA-256 is {found.sha256}, and the golden file was written for" in found.problem
    assert found.other_model not in (None, found.sha256)


RECURSION = {"sharpness": 2.0, "novelty_threshold": 0.1}


@pytest.mark.parametrize("name", RECURSION)
def test_another_recursion_is_found_by_what_it_gives(copy, name):
    model = onnx.load(copy)
    for entry in model.metadata_props:
        if entry.key == CONTRACT_KEY:
            entry.value = json.dumps({**json.loads(entry.value), name: RECURSION[name]})
    save(model, copy)
    expected = "probability by" if name == "sharpness" else "novel flags"
    assert expected in reasons(verify(copy, runtimes=["onnxruntime"]))["onnxruntime"]
