import graphs
import numpy as np
import pytest
from keras import Input, Model, layers

from regimetry.export.rules.dense import Dense


def dense(rank=3, **options):
    tokens = Input((7, 12))
    hidden = tokens if rank == 3 else layers.Reshape((7, 3, 4))(tokens)
    result = layers.Dense(**({"units": 8} | options))(hidden)
    result = layers.GlobalMaxPooling1D()(result) if rank == 3 else layers.Flatten()(result)
    return graphs.randomised(Model(tokens, result))


@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"activation": "tanh"}])
@pytest.mark.parametrize("opset", [17, 18])
def test_a_dense_layer_becomes_a_gemm_without_shapes_at_run_time(options, opset):
    model = dense(**options)
    values = graphs.windows(model)
    found, report = graphs.apply_rule(graphs.plain_onnx(model, opset), Dense())
    assert (report.applied, report.refused) == (1, ())
    names = graphs.operators(found)
    assert names["Gemm"] == 1
    assert not {"MatMul", "Shape", "Concat", "Cast"} & set(names)
    expected = np.asarray(model(values))
    assert graphs.difference(graphs.run(found, values)[0], expected) < 2e-6
    weight = next(n.input[1] for n in found.graph.node if n.op_type == "Gemm")
    changed = graphs.run(graphs.perturbed(found, weight), values)[0]
    assert graphs.difference(changed, expected) > 2e-6


def test_another_rank_is_left_alone():
    model = dense(rank=4)
    values = graphs.windows(model)
    found, report = graphs.apply_rule(graphs.plain_onnx(model), Dense())
    assert report.applied == 0
    assert graphs.difference(graphs.run(found, values)[0], np.asarray(model(values))) < 2e-6
