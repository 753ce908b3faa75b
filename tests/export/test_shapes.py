import graphs
import numpy as np
import onnx_ir as ir
import pytest
from onnx import helper

from regimetry.errors import ExportError
from regimetry.export.rules import optimise
from regimetry.export.shapes import Batch, annotate, dims


def annotated(model):
    rewritten = ir.from_proto(model)
    annotate(rewritten)
    return {v.name: dims(v) for node in rewritten.graph for v in node.outputs}


def test_shapes_that_are_computed_at_run_time_are_known():
    model = graphs.plain_onnx(graphs.random_encoder())
    found = annotated(model)
    rows = [shape for shape in found.values() if shape is not None and shape[:1] == (Batch(7),)]
    windows = [shape for shape in found.values() if shape == (Batch(1), 7, 16)]
    assert rows
    assert len(windows) > 5
    assert None not in found.values()


def test_a_dimension_that_is_no_multiple_of_the_batch_is_refused():
    nodes = [
        helper.make_node("Concat", ["x", "one"], ["y"], axis=0),
        helper.make_node("Relu", ["y"], ["z"]),
    ]
    constants = {"one": np.ones((1, 4), np.float32)}
    model = graphs.graph_model(nodes, {"x": ["batch", 4]}, {"z": ["more", 4]}, constants)
    with pytest.raises(ExportError, match="must be fixed or a multiple of the batch"):
        optimise(model)


def test_contradicting_shapes_are_refused():
    nodes = [helper.make_node("MatMul", ["x", "matrix"], ["y"])]
    constants = {"matrix": np.ones((5, 4), np.float32)}
    model = graphs.graph_model(nodes, {"x": ["batch", 4]}, {"y": ["batch", 4]}, constants)
    with pytest.raises(ExportError, match="contradict each other"):
        optimise(model)
