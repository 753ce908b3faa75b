import graphs
import numpy as np
import onnx_ir as ir
import pytest

from regimetry.export.attention import Attention
from regimetry.export.rules.attention import FoldedAttention
from regimetry.export.rules.cost import cost_of
from regimetry.export.shapes import annotate


def attention(size, heads, head_size):
    weight, bias = np.zeros((size, heads, head_size)), np.zeros((heads, head_size))
    return Attention(
        query=weight, query_bias=bias, key=weight, value=weight, value_bias=bias,
        output=np.zeros((heads, head_size, size)), bias=np.zeros(size),
    )  # fmt: skip


@pytest.mark.parametrize("fields", [{}, {"num_heads": 3, "head_size": 20, "window_size": 4}])
def test_the_cost_model_counts_what_the_graph_does(fields):
    encoder = graphs.random_encoder(**fields)
    found, report = graphs.apply_rule(graphs.plain_onnx(encoder), FoldedAttention())
    sizes = {**graphs.SMALL, **fields}
    layer = attention(sizes["embedding_dim"], sizes["num_heads"], sizes["head_size"])
    plain, folded = layer.operations(sizes["window_size"])
    assert report.applied == 1
    assert report.operations_before - report.operations_after == plain - folded
    annotated = ir.from_proto(found)
    annotate(annotated)
    cost = cost_of(annotated.graph)
    assert (cost.nodes, cost.operations) == (report.nodes_after, report.operations_after)
    tensors = found.graph.initializer
    assert report.bytes_after >= sum(len(tensor.raw_data) for tensor in tensors if tensor.raw_data)


@pytest.mark.parametrize(("size", "pays"), [(16, True), (256, True), (490, True), (512, False)])
def test_folding_pays_below_twice_the_head(size, pays):
    assert attention(size, 4, 256).folds(30) is pays
