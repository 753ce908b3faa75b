import graphs
import numpy as np
from onnx import helper

from regimetry.export.rules import optimise


def test_nodes_of_constants_are_computed_once():
    nodes = [
        helper.make_node("Neg", ["c"], ["n"]),
        helper.make_node("Mul", ["n", "c"], ["m"]),
        helper.make_node("Add", ["x", "m"], ["y"]),
    ]
    constants = {"c": np.arange(4, dtype=np.float32)}
    model = graphs.graph_model(nodes, {"x": ["batch", 4]}, {"y": ["batch", 4]}, constants)
    found, _ = optimise(model, ())
    assert graphs.operators(found) == {"Add": 1}
    values = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(
        graphs.run(found, values)[0], 1 - np.arange(4.0) ** 2 + 0 * values
    )


def test_an_output_that_is_constant_stays():
    nodes = [helper.make_node("Neg", ["c"], ["y"]), helper.make_node("Relu", ["x"], ["z"])]
    constants = {"c": np.ones(4, np.float32)}
    model = graphs.graph_model(nodes, {"x": ["batch", 4]}, {"y": [4], "z": ["batch", 4]}, constants)
    found, _ = optimise(model, ())
    assert graphs.operators(found) == {"Neg": 1, "Relu": 1}
