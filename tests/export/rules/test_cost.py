import graphs
import onnx_ir as ir
import pytest

from regimetry.export.rules.attention import FoldedAttention
from regimetry.export.rules.cost import attention_operations, cost_of
from regimetry.export.shapes import annotate


@pytest.mark.parametrize("fields", [{}, {"num_heads": 3, "head_size": 20, "window_size": 4}])
def test_the_cost_model_counts_what_the_graph_does(fields):
    encoder = graphs.random_encoder(**fields)
    found, report = graphs.apply_rule(graphs.plain_onnx(encoder), FoldedAttention())
    sizes = {**graphs.SMALL, **fields}
    plain, folded = attention_operations(
        sizes["window_size"], sizes["embedding_dim"], sizes["head_size"], sizes["num_heads"]
    )
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
    plain, folded = attention_operations(30, size, 256, 4)
    assert (folded < plain) is pays
