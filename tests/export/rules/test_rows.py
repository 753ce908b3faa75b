import graphs
import numpy as np
import pytest
from onnx import helper

from regimetry.export.rules.row_wise import Rows

SHAPE = ["batch", 7, 6]
CONSTANTS = {
    "rows": np.array([-1, 6]),
    "windows": np.array([-1, 7, 6]),
    "matrix": np.random.default_rng(0).standard_normal((6, 6)).astype(np.float32),
    "bias": np.arange(6, dtype=np.float32),
    "wide_bias": np.arange(6, dtype=np.float32).reshape(1, 1, 6),
    "positions": np.arange(42, dtype=np.float32).reshape(7, 6),
}


def after_rows(*nodes, output):
    """Windows made of rows, and what is done to them."""
    made = [
        helper.make_node("Reshape", ["x", "rows"], ["r"]),
        helper.make_node("MatMul", ["r", "matrix"], ["p"]),
        helper.make_node("Reshape", ["p", "windows"], ["w"]),
    ]
    return graphs.graph_model([*made, *nodes], {"x": SHAPE}, {output: SHAPE}, CONSTANTS)


def node(operator, *inputs, output, **attributes):
    return helper.make_node(operator, list(inputs), [output], operator, **attributes)


def inputs():
    return np.random.default_rng(1).standard_normal((3, 7, 6)).astype(np.float32)


@pytest.mark.parametrize(
    "nodes",
    [
        [node("Relu", "w", output="y")],
        [node("Add", "w", "x", output="y")],
        [node("Add", "x", "w", output="y")],
        [node("Mul", "w", "bias", output="y")],
        [node("Add", "w", "wide_bias", output="y")],
        [node("LayerNormalization", "w", "bias", "bias", output="y", axis=-1)],
        [node("Relu", "w", output="a"), node("Tanh", "a", output="b"),
         node("Add", "b", "w", output="y")],
    ],
)  # fmt: skip
def test_a_function_of_rows_moves_before_the_reshape(nodes):
    model = after_rows(*nodes, output="y")
    found, report = graphs.apply_rule(model, Rows())
    assert (report.applied, report.refused) == (len(nodes), ())
    assert found.graph.node[-1].op_type == "Reshape"
    np.testing.assert_array_equal(graphs.run(found, inputs())[0], graphs.run(model, inputs())[0])


@pytest.mark.parametrize(
    ("nodes", "reason"),
    [
        ([node("Add", "w", "positions", output="y")], "from position to position"),
        ([node("ReduceMean", "w", output="m", axes=[1], keepdims=1),
          node("Sub", "w", "m", output="y")], "another shape"),
        ([node("LayerNormalization", "w", "positions", output="y", axis=1)],
         "not over the last axis"),
    ],
)  # fmt: skip
def test_what_differs_between_rows_is_refused(nodes, reason):
    model = after_rows(*nodes, output="y")
    found, report = graphs.apply_rule(model, Rows())
    assert report.applied == 0
    assert reason in report.refused[0]
    np.testing.assert_array_equal(graphs.run(found, inputs())[0], graphs.run(model, inputs())[0])
