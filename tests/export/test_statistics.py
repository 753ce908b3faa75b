"""What a graph consists of, against the file and against counts by hand."""

import graphs
import numpy as np
import onnx
import pytest
from onnx import helper

from regimetry.export.rules import optimise
from regimetry.export.series_form import to_series
from regimetry.export.statistics import graph_statistics, multiply_accumulates


@pytest.mark.parametrize(
    ("operator", "attributes", "input_shape", "weights", "output_shape", "expected"),
    [
        ("MatMul", {}, [5, 4], [4, 3], [5, 3], 5 * 4 * 3),
        ("Gemm", {}, [4], [4, 3], [3], 4 * 3),
        ("Gemm", {"transB": 1}, [4], [3, 4], [3], 4 * 3),
        ("Conv", {"kernel_shape": [2]}, [4, 9], [3, 4, 2], [3, 8], 8 * 3 * 4 * 2),
        ("Add", {}, [4], [4], [4], 0),
    ],
)
def test_one_product(operator, attributes, input_shape, weights, output_shape, expected):
    node = helper.make_node(operator, ["x", "w"], ["y"], **attributes)
    model = graphs.graph_model(
        [node],
        {"x": ["batch", *input_shape]},
        {"y": ["batch", *output_shape]},
        {"w": np.zeros(weights, dtype=np.float32)},
    )
    statistics = graph_statistics(model)
    assert statistics.multiply_accumulates == expected
    assert statistics.operators == {operator: 1}
    assert statistics.parameters == np.prod(weights)


def test_a_fitted_graph(detector):
    model = onnx.load_from_string(detector.model_.content)
    statistics = graph_statistics(model)
    assert statistics.multiply_accumulates == optimise(model)[1][-1].operations_after
    assert statistics.nodes == sum(statistics.operators.values()) == len(model.graph.node)
    counts = list(statistics.operators.values())
    assert counts == sorted(counts, reverse=True)
    assert statistics.bytes == len(detector.model_.content)
    assert 4 * statistics.parameters < statistics.bytes
    assert (statistics.opset, statistics.ir_version, statistics.domains) == (17, 8, ("",))


def test_the_series_form_does_not_say(detector):
    model = onnx.load_from_string(detector.model_.content)
    assert multiply_accumulates(to_series(model)) is None
