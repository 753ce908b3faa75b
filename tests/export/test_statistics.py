"""Work of a graph, against counts by hand."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from regimetry.export.statistics import graph_statistics, multiply_accumulates

F = TensorProto.FLOAT


def one_node(node, inputs, output, constants=()):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [node],
        "one",
        [value(name, F, shape) for name, shape in inputs.items()],
        [value("y", F, output)],
        [
            numpy_helper.from_array(np.zeros(s, np.float32), name)
            for name, s in dict(constants).items()
        ],
    )
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])


@pytest.mark.parametrize(
    ("node", "inputs", "constants", "output", "expected"),
    [
        (helper.make_node("MatMul", ["x", "w"], ["y"]), {"x": ["b", 5, 4]}, {"w": [4, 3]}, 3, 60),
        (helper.make_node("Gemm", ["x", "w"], ["y"]), {"x": ["b", 4]}, {"w": [4, 3]}, 2, 12),
        (
            helper.make_node("Gemm", ["x", "w"], ["y"], transB=1),
            {"x": ["b", 4]},
            {"w": [3, 4]},
            2,
            12,
        ),
        (
            helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[2]),
            {"x": ["b", 4, 9]},
            {"w": [3, 4, 2]},
            3,
            8 * 3 * 4 * 2,
        ),
        (
            helper.make_node("Einsum", ["x", "w"], ["y"], equation="bij,jk->bik"),
            {"x": ["b", 5, 4]},
            {"w": [4, 3]},
            3,
            60,
        ),
        (helper.make_node("Relu", ["x"], ["y"]), {"x": ["b", 4]}, {}, 2, 0),
    ],
)
def test_one_product(node, inputs, constants, output, expected):
    model = one_node(node, inputs, ["b", *[None] * (output - 1)], constants)
    assert multiply_accumulates(model) == expected


def test_a_shape_that_is_not_known_gives_no_figure():
    node = helper.make_node("MatMul", ["x", "w"], ["y"])
    model = one_node(node, {"x": ["b", 5, 4], "w": [4, "k"]}, ["b", 5, "k"])
    assert multiply_accumulates(model) is None
    assert graph_statistics(model).multiply_accumulates is None


def test_the_work_of_a_fitted_encoder(detector):
    """W 10, D 8, 2 heads of 8, 2 blocks, hidden 16, F 4; 24 numbers of embedding."""
    model = onnx.load_from_string(detector.model_.content)
    attention = 3 * 10 * 8 * 16 + 2 * 2 * 10 * 10 * 8 + 10 * 16 * 8
    block = attention + 2 * 10 * 8 * 16
    head = multiply_accumulates(model) - (10 * 4 * 8 + 2 * block)
    landmarks = 200
    assert 0 < head < landmarks * 40 + 24 * 24 * 2  # whitening, two sets of distances, loadings
    statistics = graph_statistics(model)
    assert statistics.opset == 17
    assert statistics.ir_version == 9
    assert statistics.domains == ("",)
    assert statistics.parameters > 2 * 4 * 8 * 16


def test_of_a_series_graph_the_work_of_one_window_counts(detector):
    """The window form behind an Unsqueeze, with its rows as the symbolic dimension."""
    model = onnx.load_from_string(detector.model_.content)
    expected = multiply_accumulates(model)
    model.graph.initializer.append(numpy_helper.from_array(np.array([0]), "series_axis"))
    lift = helper.make_node("Unsqueeze", ["series", "series_axis"], ["window"])
    model.graph.node.insert(0, lift)
    model.graph.input[0].CopyFrom(helper.make_tensor_value_info("series", F, ["time", 4]))
    assert multiply_accumulates(model) == expected
