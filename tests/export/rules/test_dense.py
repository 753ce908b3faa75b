import graphs
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
    found, report, *known = graphs.check_rule(dense(**options), Dense(), opset=opset)
    assert report.refused == ()
    names = graphs.operators(found)
    assert names["Gemm"] == 1
    assert not {"MatMul", "Shape", "Concat", "Cast"} & set(names)
    weight = next(n.input[1] for n in found.graph.node if n.op_type == "Gemm")
    graphs.require_sensitive(found, weight, *known)


def test_another_rank_is_left_alone():
    graphs.check_rule(dense(rank=4), Dense(), applied=0)
