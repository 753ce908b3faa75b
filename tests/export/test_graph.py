"""The assembled graph against its twins, and the rules every file keeps."""

import graphs
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx.reference import ReferenceEvaluator

from regimetry.check import parity
from regimetry.contract import OUTPUT_NAMES
from regimetry.errors import ExportParityError
from regimetry.series.units import fit_preprocessing
from regimetry.windows import rolling_windows


@pytest.fixture(scope="module")
def graph(detector):
    return onnx.load_from_string(detector.model_.content)


def run(content, windows):
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return dict(
        zip(OUTPUT_NAMES, session.run(list(OUTPUT_NAMES), {"window": windows}), strict=True)
    )


def test_the_file_keeps_the_portable_subset(graph):
    onnx.checker.check_model(graph, full_check=True)
    assert graph.ir_version == 8
    assert [(o.domain, o.version) for o in graph.opset_import] == [("", 17)]
    operators = {node.op_type for node in graph.graph.node}
    assert not operators & {"If", "Loop", "Scan", "SequenceMap"}
    assert all(node.domain in ("", "ai.onnx") for node in graph.graph.node)
    assert all(not t.external_data for t in graph.graph.initializer)
    symbolic = {
        d.dim_param or d.dim_value
        for value in (*graph.graph.input, *graph.graph.output)
        for d in value.type.tensor_type.shape.dim
    }
    assert {s for s in symbolic if isinstance(s, str)} == {"batch"}


def test_inputs_and_outputs_are_the_documented_ones(graph, detector):
    width = detector.embeddings_.shape[1]
    found = {
        v.name: (
            v.type.tensor_type.elem_type,
            [d.dim_value for d in v.type.tensor_type.shape.dim][1:],
        )
        for v in (*graph.graph.input, *graph.graph.output)
    }
    f, i = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    assert found == {
        "window": (f, [11, 4]),
        "embedding": (f, [width]),
        "distance": (f, [3]),
        "regime": (i, []),
        "novelty": (f, []),
    }


def test_the_reference_evaluator_agrees(graph, values):
    windows = np.ascontiguousarray(rolling_windows(values, 11)[:40], dtype=np.float32)
    expected = run(graph.SerializeToString(), windows)
    found = dict(
        zip(OUTPUT_NAMES, ReferenceEvaluator(graph).run(None, {"window": windows}), strict=True)
    )
    for name in ("embedding", "distance", "novelty"):
        np.testing.assert_allclose(found[name], expected[name], atol=2e-4)
    np.testing.assert_array_equal(found["regime"], expected["regime"])


def _expected(detector, values):
    found = run(
        detector.model_.content, np.ascontiguousarray(rolling_windows(values, 11), dtype=np.float32)
    )
    expected = {k: v.astype(float) for k, v in found.items()}
    return found, expected


def test_parity_was_measured_at_the_fit(detector):
    report = detector.parity_
    assert report.windows == len(detector.embeddings_)
    assert report.differences["regime"] == 0
    assert 0 < report.differences["embedding"] < 1e-5
    assert 0 < report.differences["distance"] < 1e-3


@pytest.mark.parametrize(
    ("name", "shift"),
    [("embedding", 1e-2), ("distance", 5e-3), ("novelty", 5e-2), ("distance", np.nan)],
)
def test_parity_fails_on_a_difference(detector, values, name, shift):
    found, expected = _expected(detector, values)
    parity.compare(found, expected)
    expected[name][17] += shift
    with pytest.raises(ExportParityError, match=f"{name} by"):
        parity.compare(found, expected)


def test_parity_fails_on_another_regime_but_not_on_a_tie(detector, values):
    found, expected = _expected(detector, values)
    near = np.sort(expected["distance"], axis=1)
    clear = int(np.argmax(near[:, 1] - near[:, 0]))
    changed = {**found, "regime": found["regime"].copy()}
    changed["regime"][clear] = (changed["regime"][clear] + 1) % 3
    with pytest.raises(ExportParityError, match="regime by 1"):
        parity.compare(changed, expected)
    tied = {**found, "distance": found["distance"].copy(), "regime": found["regime"].copy()}
    expected["distance"][0] = [0.5, 0.5 + 1e-6, 1.0]
    tied["distance"][0], tied["regime"][0] = [0.5, 0.5, 1.0], 1
    assert parity.compare(tied, expected).ties == 1


@pytest.mark.parametrize(
    "part", ["encoder weight", "preprocessing/scale", "head/centroids", "head/whitening"]
)
def test_one_changed_constant_in_the_file_is_found(graph, detector, values, part):
    if part == "encoder weight":
        tensors = graph.graph.initializer
        part = next(t.name for t in tensors if t.name.startswith("encoder/") and len(t.dims) == 2)
    windows = np.ascontiguousarray(rolling_windows(values, 11), dtype=np.float32)
    _, expected = _expected(detector, values)
    changed = graphs.perturbed(graph, part, every=True).SerializeToString()
    with pytest.raises(ExportParityError):
        parity.compare(run(changed, windows), expected)


def test_the_embedding_is_keras_own(detector, values):
    scaled = fit_preprocessing(values, ("a", "b", "c", "d")).apply(values)
    expected = np.asarray(detector.encoder_(rolling_windows(scaled, 10)))
    np.testing.assert_allclose(detector.embeddings_, expected, atol=1e-5)
