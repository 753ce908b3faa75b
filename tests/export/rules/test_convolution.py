import graphs
import pytest
from keras import Input, Model, layers

from regimetry.export.rules.convolution import Convolution


def convolving(**options):
    tokens = Input((7, 12))
    result = layers.Conv1D(**({"filters": 8, "kernel_size": 1} | options))(tokens)
    return graphs.randomised(Model(tokens, layers.GlobalMaxPooling1D()(result)))


@pytest.mark.parametrize("options", [{}, {"use_bias": False}, {"activation": "relu"}])
def test_kernel_1_becomes_a_gemm(options):
    found, report, *known = graphs.check_rule(convolving(**options), Convolution())
    assert report.refused == ()
    assert report.operations_after == report.operations_before == 7 * 12 * 8
    names = graphs.operators(found)
    assert names["Gemm"] == 1
    assert not {"Conv", "Transpose", "Squeeze", "Unsqueeze"} & set(names)
    weight = next(n.input[1] for n in found.graph.node if n.op_type == "Gemm")
    graphs.require_sensitive(found, weight, *known)


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"kernel_size": 3}, "expected 1 position"),
        ({"strides": 2}, "strides"),
    ],
)
def test_other_convolutions_are_refused_with_a_reason(options, reason):
    _, report, *_ = graphs.check_rule(convolving(**options), Convolution(), applied=0)
    assert reason in report.refused[0]


def test_every_convolution_of_an_encoder_is_found():
    encoder = graphs.random_encoder(num_transformer_blocks=3)
    _, report = graphs.apply_rule(graphs.plain_onnx(encoder), Convolution())
    assert report.applied == 6


def test_groups_are_refused_with_a_reason():
    plain = graphs.plain_onnx(convolving())
    node = next(node for node in plain.graph.node if node.op_type == "Conv")
    kernel = next(tensor for tensor in plain.graph.initializer if tensor.name == node.input[1])
    half = graphs.onnx.numpy_helper.to_array(kernel)[:, :6].copy()
    kernel.CopyFrom(graphs.onnx.numpy_helper.from_array(half, kernel.name))
    next(item for item in node.attribute if item.name == "group").i = 2
    _, report = graphs.apply_rule(plain, Convolution())
    assert report.applied == 0
    assert "2 groups" in report.refused[0]
