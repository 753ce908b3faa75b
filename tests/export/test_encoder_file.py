"""An encoder that another library exported, in the encoder's place."""

from pathlib import Path

import graphs
import numpy as np
import onnx
import onnxruntime
import pytest
from encoders import fit_fast
from onnx import helper

import regimetry as rg
from regimetry.check.verify import verify
from regimetry.errors import ConfigError, ModelError
from regimetry.export.encoder_file import read_encoder_file

TORCH = Path(__file__).parent / "files" / "torch_encoder.onnx"
WINDOWS = np.random.default_rng(0).standard_normal((30, 10, 4)).astype(np.float32)


@pytest.mark.parametrize("opset", [17, 18])
def test_a_file_that_torch_exported_becomes_a_model(values, tmp_path, opset):
    detector = fit_fast(values, encoder=TORCH, n_regimes=2, opset=opset)
    detector.save(tmp_path / "m.onnx")
    np.testing.assert_array_equal(rg.load(tmp_path / "m.onnx").predict(values), detector.labels_)
    windows = detector.golden_.window
    session = onnxruntime.InferenceSession(TORCH)
    contract = detector.model_.contract
    from regimetry.check.runtimes import preprocess_windows

    (expected,) = session.run(None, {"windows": preprocess_windows(contract, windows)})
    found = detector.model_.run(windows, ("embedding",))["embedding"]
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert verify(tmp_path / "m.onnx", runtimes=("onnxruntime", "reference")).problem is None
    description = contract.training.configuration["encoder"]
    assert description["file"] == TORCH.name
    assert description["output_dim"] == found.shape[1] == 16
    model = onnx.load(tmp_path / "m.onnx")
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", opset)]
    with pytest.raises(ConfigError, match="no Keras model"):
        _ = detector.encoder_


def test_a_wrong_conversion_is_found(values, monkeypatch):
    from regimetry.errors import ExportParityError
    from regimetry.export import encoder_file

    changed = graphs.onnx.load(TORCH)
    bias = next(t for t in changed.graph.initializer if "bias" in t.name)
    monkeypatch.setattr(
        encoder_file, "_converted", lambda m, *_: graphs.perturbed(m, bias.name, every=True).graph
    )
    with pytest.raises(ExportParityError, match="embedding by"):
        fit_fast(values, encoder=TORCH, n_regimes=2, opset=18)


def mean_of(node="ReduceMean", inputs=None, output=("batch", 4), nodes=(), shape=("batch", 10, 4)):
    """A graph that takes the mean over time, or something like it."""
    last = helper.make_node("ReduceMean", [nodes[-1].output[0] if nodes else "x"], ["y"], axes=[1],
                            keepdims=0)  # fmt: skip
    inputs = {"x": list(shape), **(inputs or {})}
    return graphs.graph_model([*nodes, last], inputs, {"y": list(output)})


def node(operator, *inputs, **attributes):
    return helper.make_node(operator, list(inputs), ["z"], **attributes)


BAD = {
    "other windows": (mean_of(shape=("batch", 9, 4)), r"reads x float32 \(batch, 9, 4\); the win"),
    "fixed batch": (mean_of(shape=(2, 10, 4), output=(2, 4)), "the batch open"),
    "second input": (
        mean_of(inputs={"s": ["batch", 10, 4]}, nodes=[node("Add", "x", "s")]), "reads x .* and s",
    ),
    "no embedding": (
        graphs.graph_model([helper.make_node("Relu", ["x"], ["y"])], {"x": ["batch", 10, 4]},
                           {"y": ["batch", 10, 4]}), r"gives y float32 \(batch, 10, 4\)",
    ),
    "not finite": (mean_of(nodes=[node("Log", "x")]), "not finite"),
    "batch": (
        mean_of(nodes=[helper.make_node("ReduceMean", ["x"], ["m"], axes=[0]),
                       node("Sub", "x", "m")]), "alone than in a batch",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_another_graph_is_refused_in_a_sentence(kind, tmp_path):
    model, message = BAD[kind]
    path = tmp_path / "e.onnx"
    path.write_bytes(model.SerializeToString())
    with pytest.raises(ConfigError, match=message) as caught:
        read_encoder_file(path, WINDOWS, 17)
    assert str(path) in str(caught.value)


def test_what_no_model_may_hold_is_refused(tmp_path):
    path = tmp_path / "e.onnx"
    with pytest.raises(ModelError, match="cannot be read"):
        read_encoder_file(path, WINDOWS, 17)
    foreign = mean_of(nodes=[node("Gelu", "x", domain="com.microsoft")])
    path.write_bytes(foreign.SerializeToString())
    with pytest.raises(ModelError, match=r"domain 'com\.microsoft'"):
        read_encoder_file(path, WINDOWS, 17)
    path.write_bytes(mean_of(nodes=[node("RandomNormalLike", "x")]).SerializeToString())
    with pytest.raises(ModelError, match="'RandomNormalLike', which draws random numbers"):
        read_encoder_file(path, WINDOWS, 17)
    path.write_bytes(mean_of(nodes=[node("Gemm", "x")]).SerializeToString())
    with pytest.raises(ModelError, match="no valid ONNX file"):
        read_encoder_file(path, WINDOWS, 17)


def test_a_file_is_not_trained_and_has_one_window_size():
    with pytest.raises(ConfigError, match="objective is 'masked', which trains"):
        rg.RegimeDetector(window_size=10, encoder=str(TORCH), objective="masked").fit(None)
    with pytest.raises(ConfigError, match="window_size is 'auto'"):
        rg.RegimeDetector(encoder=TORCH, window_size="auto").fit(None)
