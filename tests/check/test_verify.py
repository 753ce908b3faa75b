"""Verification replays the golden windows, and fails on anything that was changed."""

import json
import shutil

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from regimetry.check import runtimes as runtime_table
from regimetry.check.golden import golden_path
from regimetry.check.runtimes import ONNXRUNTIME
from regimetry.check.verify import verify
from regimetry.contract import OUTPUT_NAMES, SERIES_INPUT_NAME
from regimetry.errors import ConfigError, ModelError


@pytest.fixture
def copy(model_path, tmp_path):
    """Model and golden file, to be spoilt."""
    shutil.copyfile(model_path, tmp_path / "m.onnx")
    shutil.copyfile(golden_path(model_path), tmp_path / "m.golden.json")
    return tmp_path / "m.onnx"


def change(path, pick):
    """Change one number of the first constant that ``pick`` takes."""
    model = onnx.load(path)
    tensor = next(t for t in model.graph.initializer if t.data_type == 1 and pick(t))
    array = numpy_helper.to_array(tensor).copy()
    array.flat[0] = array.flat[0] * 1.05 + 0.05
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    onnx.save(model, path)


PARTS = {
    "one weight": lambda t: t.name.startswith("encoder/") and len(t.dims) == 2,
    "one scaler value": lambda t: t.name == "scale",
    "one mean": lambda t: t.name == "mean",
    "one centroid": lambda t: t.name == "head/centroids",
    "the scale of novelty": lambda t: t.name == "novelty/scale",
}


def test_every_runtime_agrees(copy):
    found = verify(copy)
    assert found.windows == 64
    assert [replay.runtime for replay in found.replays] == [
        "onnxruntime",
        "reference",
        "openvino",
        "keras",
    ]
    assert found.failures == ()
    *ran, keras = found.replays
    assert "m.keras is not there" in keras.skipped
    for replay in ran:
        assert replay.report.embedding < 1e-5
        assert (replay.report.regimes, replay.report.ties, replay.labels) == (0, 0, 0)


def test_keras_weights_are_replayed_where_they_are_at_hand(copy, detector, tmp_path):
    detector.encoder_.save(tmp_path / "m.keras")
    keras = verify(copy, runtimes=["keras"]).replays[0]
    assert keras.failure is None
    assert keras.report.embedding < 1e-6
    assert keras.report.distance is None
    shutil.move(tmp_path / "m.keras", tmp_path / "elsewhere.keras")
    again = verify(copy, keras=tmp_path / "elsewhere.keras", runtimes=["keras"]).replays[0]
    assert again.report == keras.report


def test_other_keras_weights_fail(copy, detector, tmp_path):
    from regimetry.encoder.config import EncoderConfig
    from regimetry.encoder.model import build_encoder

    same = EncoderConfig(**{**detector.encoder.to_dict(), "window_size": 10, "num_features": 4})
    build_encoder(same).save(tmp_path / "m.keras")
    assert "embedding by" in verify(copy).failures[0].failure
    shape = EncoderConfig(**{**same.to_dict(), "window_size": 9})
    build_encoder(shape).save(tmp_path / "m.keras")
    assert "the encoder reads (9, 4), not (10, 4)" in verify(copy).failures[0].failure


@pytest.mark.parametrize("part", list(PARTS))
def test_one_changed_number_in_the_file_is_found_by_every_runtime(copy, part):
    change(copy, PARTS[part])
    failures = verify(copy).failures
    assert [replay.runtime for replay in failures] == ["onnxruntime", "reference", "openvino"]
    assert all("differs from the golden file" in replay.failure for replay in failures)


@pytest.mark.parametrize("field", ["regime", "labels_from_start", "embedding", "distance"])
def test_one_changed_number_in_the_golden_file_is_found(copy, field):
    path = golden_path(copy)
    content = json.loads(path.read_text())
    target = content[field] if isinstance(content[field][0], int) else content[field][0]
    target[0] = (target[0] + 1) % 3 if isinstance(target[0], int) else target[0] + 0.01
    path.write_text(json.dumps(content))
    (failure,) = verify(copy, runtimes=["onnxruntime"]).failures
    named = {"regime": "regimes by 1", "labels_from_start": "1 of 40 causal labels"}
    assert named.get(field, f"{field} by") in failure.failure


def test_a_graph_that_gives_another_regime_fails(copy):
    model = onnx.load(copy)
    node = next(node for node in model.graph.node if node.op_type == "ArgMin")
    node.op_type = "ArgMax"
    onnx.save(model, copy)
    failures = verify(copy).failures
    assert len(failures) == 3
    assert all("regimes by" in replay.failure for replay in failures)


def test_a_close_call_is_a_tie(copy):
    path = golden_path(copy)
    content = json.loads(path.read_text())
    row = content["distance"][-1]
    order = np.argsort(row)
    content["regime"][-1] = int(order[1])
    content["distance"][-1][order[1]] = row[order[0]] + 1e-5
    path.write_text(json.dumps(content))
    (failure,) = verify(copy, runtimes=["onnxruntime"]).failures
    assert "distance by" in failure.failure
    assert (failure.report.regimes, failure.report.ties) == (0, 1)


def test_a_changed_shape_is_found(copy):
    model = onnx.load(copy)
    output = next(o for o in model.graph.output if o.name == "novelty")
    node = next(node for node in model.graph.node if "novelty" in node.output)
    node.output[:] = ["flat"]
    model.graph.initializer.append(numpy_helper.from_array(np.array([1]), "last"))
    model.graph.node.append(helper.make_node("Unsqueeze", ["flat", "last"], ["novelty"]))
    output.CopyFrom(helper.make_tensor_value_info("novelty", 1, ["batch", 1]))
    onnx.save(model, copy)
    assert "novelty has shape (64, 1), not (64,)" in verify(copy).failures[0].failure


def test_a_file_that_a_runtime_cannot_run_fails(copy, monkeypatch):
    def refuse(content):
        raise RuntimeError("no such operator\nand more")

    broken = runtime_table.Runtime("openvino", "openvino", ("openvino",), refuse)
    monkeypatch.setattr("regimetry.check.verify.RUNTIMES", (ONNXRUNTIME, broken))
    (failure,) = verify(copy).failures
    assert failure.failure == "it does not run the file (no such operator)"


def test_a_runtime_that_is_not_installed_says_so(copy, monkeypatch):
    absent = runtime_table.Runtime("openvino", "no_such_module", ("openvino",), None)
    monkeypatch.setattr("regimetry.check.verify.RUNTIMES", (ONNXRUNTIME, absent))
    found = verify(copy)
    assert found.replays[1].skipped == "not installed: pip install openvino"
    assert found.failures == ()
    with pytest.raises(ConfigError, match="openvino cannot be used: not installed"):
        verify(copy, runtimes=["openvino"])


def test_a_broken_installation_says_so(tmp_path, monkeypatch):
    (tmp_path / "broken_runtime.py").write_text("raise OSError('libomp is missing')")
    monkeypatch.syspath_prepend(tmp_path)
    runtime = runtime_table.Runtime("x", "broken_runtime", ("no-such-distribution",), None)
    assert "does not import (OSError: libomp is missing)" in runtime.missing()
    assert runtime.version() == "unknown"


def test_bad_input(copy, tmp_path):
    with pytest.raises(ConfigError, match="runtime is 'tvm'; it must be one of 'onnxruntime'"):
        verify(copy, runtimes=["tvm"])
    with pytest.raises(ModelError, match="no model file"):
        verify(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="no golden file"):
        verify(copy, golden=tmp_path / "none.json")
    with pytest.raises(ModelError, match="no Keras file"):
        verify(copy, keras=tmp_path / "none.keras")
    (tmp_path / "m.keras").write_text("not a model")
    with pytest.raises(ModelError, match="cannot be read as a Keras encoder"):
        verify(copy)
    (tmp_path / "m.keras").unlink()
    with pytest.raises(ConfigError, match="keras cannot be used: no weights"):
        verify(copy, runtimes=["keras"])


def test_a_series_graph_is_replayed_window_by_window(copy):
    """A graph that reads (T, F), here with T = R, gives the same as the window form."""
    model = onnx.load(copy)
    axis = numpy_helper.from_array(np.array([0]), "series_axis")
    model.graph.initializer.append(axis)
    model.graph.node.insert(0, helper.make_node("Unsqueeze", ["series", "series_axis"], ["window"]))
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("series", 1, ["time", 4]))
    onnx.save(model, copy)
    found = verify(copy, runtimes=["onnxruntime", "reference", "openvino"])
    assert found.failures == ()
    assert SERIES_INPUT_NAME == "series"
    assert set(OUTPUT_NAMES) == {"embedding", "distance", "regime", "novelty"}
