import graphs
import numpy as np
import pytest
from keras import Input, Model, layers
from onnx import helper

from regimetry.export.rules.layer_norm import LayerNorm


def normalising(**options):
    tokens = Input((7, 12))
    result = layers.LayerNormalization(epsilon=1e-6, **options)(tokens)
    return graphs.randomised(Model(tokens, layers.GlobalMaxPooling1D()(result)))


@pytest.mark.parametrize("options", [{}, {"center": False}, {"scale": False},
                                     {"center": False, "scale": False}])  # fmt: skip
def test_it_becomes_one_operator(options):
    model = normalising(**options)
    given = 3 + graphs.windows(model)
    found, report, *known = graphs.check_rule(model, LayerNorm(), values=given)
    assert report.refused == ()
    names = graphs.operators(found)
    assert names["LayerNormalization"] == 1
    assert "Sqrt" not in names
    for tensor in found.graph.initializer:
        content = graphs.onnx.numpy_helper.to_array(tensor)
        if tensor.name.startswith("layer_norm/") and np.any(content):
            graphs.require_sensitive(found, tensor.name, *known)


def test_every_normalisation_of_an_encoder_is_found():
    encoder = graphs.random_encoder(num_transformer_blocks=2)
    graphs.check_rule(encoder, LayerNorm(), applied=4)


def written_out(**change):
    """A normalisation in tf2onnx's hand, with one thing changed."""
    parts = {"pool": "GlobalAveragePool", "square": ("d", "d"), "centred": ("x", "m"),
             "scaled": ("x", "g")} | change  # fmt: skip
    nodes = [
        helper.make_node(parts["pool"], ["x"], ["m"], "mean"),
        helper.make_node("Neg", ["m"], ["n"]),
        helper.make_node("Relu", ["x"], ["other"]),
        helper.make_node("Sub", parts["centred"], ["d"]),
        helper.make_node("Mul", parts["square"], ["s"]),
        helper.make_node("GlobalAveragePool", ["s"], ["v"]),
        helper.make_node("Add", ["v", "epsilon"], ["e"]),
        helper.make_node("Sqrt", ["e"], ["r"]),
        helper.make_node("Reciprocal", ["r"], ["g"], "reciprocal"),
        helper.make_node("Mul", parts["scaled"], ["a"]),
        helper.make_node("Mul", ["n", "g"], ["b"]),
        helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    shape = ["batch", 7, 12]
    constants = {"epsilon": np.array(1e-6, np.float32)}
    return graphs.graph_model(nodes, {"x": shape}, {"y": shape}, constants)


def test_the_written_out_form_is_the_one_that_fits():
    _, report = graphs.apply_rule(written_out(), LayerNorm())
    assert report.applied == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"pool": "GlobalMaxPool"}, "the subtrahend is no mean"),
        ({"square": ("d", "x")}, "no square"),
        ({"centred": ("other", "m")}, "not the mean of what it is subtracted from"),
        ({"scaled": ("d", "g")}, "something else than x and -mean"),
    ],
)
def test_near_misses_are_refused_with_a_reason(change, reason):
    model = written_out(**change)
    found, report = graphs.apply_rule(model, LayerNorm())
    assert report.applied == 0
    assert reason in report.refused[0]
    values = np.random.default_rng(0).standard_normal((2, 7, 12)).astype(np.float32)
    np.testing.assert_array_equal(graphs.run(found, values)[0], graphs.run(model, values)[0])
