"""The pretrained encoder in a graph, against its twin in numpy."""

import dataclasses

import numpy as np
import onnx
import onnxruntime
import pytest
from networks import folded_with_windows
from onnx.reference import ReferenceEvaluator

from regimetry.encoder.pretraining.reference import embed_in_numpy
from regimetry.export.assemble import assemble_encoder
from regimetry.export.pretrained import pretrained_part


def run(graph, windows):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        graph.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"window": windows})[0]


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize(("window_size", "n_features"), [(3, 2), (10, 1), (45, 3), (170, 30)])
def test_the_graph_equals_its_twin(window_size, n_features, opset):
    folded, windows = folded_with_windows(window_size, n_features)
    found = run(assemble_encoder(pretrained_part(folded, opset)), windows)
    expected = embed_in_numpy(folded, windows)
    assert found.shape == (len(windows), folded.size)
    np.testing.assert_allclose(found, expected, atol=2e-5 * np.abs(expected).max())


def test_another_weight_is_seen():
    folded, windows = folded_with_windows(20, 2)
    bias = folded.weights["block_1_relative"] + np.float32(0.1) * np.eye(4, 39, dtype=np.float32)
    changed = dataclasses.replace(folded, weights={**folded.weights, "block_1_relative": bias})
    found = run(assemble_encoder(pretrained_part(changed, 17)), windows)
    assert np.abs(found - embed_in_numpy(folded, windows)).max() > 1e-3


def test_the_graph_keeps_the_portable_subset():
    folded, windows = folded_with_windows(16, 2)
    graph = assemble_encoder(pretrained_part(folded, 17))
    onnx.checker.check_model(graph, full_check=True)
    assert {node.domain for node in graph.graph.node} == {""}
    (found,) = ReferenceEvaluator(graph).run(None, {"window": windows})
    np.testing.assert_allclose(found, run(graph, windows), atol=1e-4)
