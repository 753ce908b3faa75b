"""The tape that graphs are written on, and what somebody else's graph becomes on it."""

import graphs
import numpy as np
import onnx
import onnx_ir as ir
import pytest

from regimetry.export.assemble import as_model, tensor_of
from regimetry.export.inline import inlined
from regimetry.export.shapes import Batch, annotate, dims
from regimetry.export.tape import Tape


def test_numbers_and_arrays_become_constants_in_order():
    tape = Tape("part")
    x = ir.Value(name="x")
    tape.Clip(tape.Mul(tape.constant("slope", [1.0, 2.0]), x), -1.0, np.float64(1))
    tape.Reshape(x, [-1, 3])
    found = [(value.name, value.const_value.numpy()) for value in tape.constants]
    assert [(name, array.dtype, array.shape) for name, array in found] == [
        ("part/slope", np.float32, (2,)),
        ("part/constant_1", np.float32, ()),
        ("part/constant_2", np.float32, ()),
        ("part/constant_3", np.int64, (2,)),
    ]
    assert [node.name for node in tape.nodes] == ["part/0_Mul", "part/1_Clip", "part/2_Reshape"]
    tape.part("other").Relu(x)
    assert tape.nodes[-1].outputs[0].name == "other/3_Relu"


def test_what_is_no_operator_is_no_method():
    with pytest.raises(AttributeError, match="'reshpae' is no operator"):
        Tape().reshpae()


def test_recorded_shapes_are_those_that_inference_finds():
    tape = Tape("part")
    x = tensor_of(ir.Value(), "x", 5, 4)
    x.meta["dims"] = (Batch(1), 5, 4)
    rows = tape.reshape(x, (Batch(5), 4))
    assert tape.reshape(rows, (Batch(5), 4)) is rows
    gemm = tape.Gemm(rows, np.ones((4, 6)), np.ones(6))
    normal = tape.LayerNormalization(gemm, np.ones(6), np.zeros(6), axis=-1)
    apart = tape.reshape(normal, (Batch(1), 10, 3))
    scores = tape.MatMul(apart, tape.Transpose(apart, perm=[0, 2, 1]))
    seen = np.ones((1, 1, 10), dtype=bool)
    result = tape.Where(seen, tape.Softmax(scores, axis=-1), 0.0)
    assert dims(tape.reduce("ReduceMax", result, 1)) is None
    recorded = {value.name: dims(value) for node in tape.nodes[:-1] for value in node.outputs}
    model = ir.from_proto(as_model(tape, x, [tensor_of(tape.nodes[-1].outputs[0], "y", 1, 10)]))
    annotate(model)
    found = {value.name: dims(value) for node in model.graph for value in node.outputs}
    assert recorded.items() <= found.items()
    assert None not in recorded.values()


@pytest.mark.parametrize("opset", [17, 18])
def test_a_reduction_takes_its_axis_as_the_opset_wants_it(opset):
    model = graphs.part_model(lambda tape, x: tape.reduce("ReduceMax", x, 1), (3,), (1,), opset)
    (node,) = model.graph.node
    assert len(node.input) == opset - 16
    np.testing.assert_array_equal(graphs.run(model, np.float32([[1, 3, 2]]))[0], [[3]])


def shuffled(graph):
    """The same graph with other names, its nodes and constants in another order that is legal."""
    other = onnx.GraphProto()
    other.CopyFrom(graph)
    del other.node[:]
    waiting = list(graph.node)
    made = {"", graph.input[0].name, *(tensor.name for tensor in graph.initializer)}
    while waiting:
        ready = [node for node in waiting if made.issuperset(node.input)]
        other.node.append(ready[-1])
        made.update(ready[-1].output)
        waiting.remove(ready[-1])
    for node in other.node:
        node.name += "_"
        node.input[:] = [name and f"{name}_" for name in node.input]
        node.output[:] = [f"{name}_" for name in node.output]
    for item in (*other.initializer, *other.input, *other.output, *other.value_info):
        item.name += "_"
    constants = list(other.initializer)[::-1]
    del other.initializer[:]
    other.initializer.extend(constants)
    return other


def test_a_graph_is_inlined_alike_whatever_its_names_and_order():
    graph = graphs.encoder_to_onnx(graphs.random_encoder(padding_mask=True))
    before = graph.SerializeToString(deterministic=True)
    other = shuffled(graph)
    assert [node.op_type for node in other.node] != [node.op_type for node in graph.node]
    first, second = (
        graphs.part_model(lambda tape, x, g=g: inlined(g, tape, x), (7, 5), (16,))
        for g in (graph, other)
    )
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(
        deterministic=True
    )
    assert graph.SerializeToString(deterministic=True) == before
