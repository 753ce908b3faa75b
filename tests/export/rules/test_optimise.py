"""All rules together, on whole encoders."""

import graphs
import keras
import numpy as np
import onnx
import pytest
from keras import Input, Model, layers
from onnx.reference import ReferenceEvaluator

from regimetry.errors import ConfigError, ExportError
from regimetry.export.convert import encoder_to_onnx
from regimetry.export.rules import RULES, optimise

TOLERANCE = 2e-5  # of the largest entry


@pytest.mark.parametrize(
    ("size", "window_size"),
    [(8, 30), (64, 5), (80, 30), (300, 5)],
)
def test_the_graph_equals_keras_for_every_size(size, window_size):
    encoder = graphs.random_encoder(
        embedding_dim=size, window_size=window_size, head_size=256, num_heads=4, ff_dim=128,
        num_transformer_blocks=2, pooling="moments",
    )  # fmt: skip
    values = graphs.windows(encoder)
    found, reports = optimise(graphs.plain_onnx(encoder))
    assert reports[1].applied == 2
    expected = np.asarray(encoder(values))
    assert graphs.difference(graphs.run(found, values)[0], expected) < TOLERANCE


@pytest.mark.parametrize(
    ("pooling", "opset"),
    [("mean", 17), ("mean", 18), ("moments", 18), ("max", 17), ("last", 18), ("attention", 17)],
)
@pytest.mark.parametrize("masks", [(False, False), (True, False), (False, True), (True, True)])
def test_every_pooling_and_mask(pooling, masks, opset):
    padding, look_ahead = masks
    encoder = graphs.random_encoder(
        pooling=pooling, padding_mask=padding, look_ahead_mask=look_ahead, dropout=0.0
    )
    values = graphs.windows(encoder)
    if padding:
        values[0, :2] = np.nan
        values[1, 3, 0] = np.nan
    plain = graphs.plain_onnx(encoder, opset)
    found, reports = optimise(plain)
    onnx.checker.check_model(found, full_check=True)
    assert [r.applied > 0 for r in reports[:5]] == [True] * 5
    assert len(found.graph.node) < 0.7 * len(plain.graph.node)
    expected = np.asarray(encoder(values))
    assert graphs.difference(graphs.run(found, values)[0], expected) < TOLERANCE
    reference = ReferenceEvaluator(found).run(None, {found.graph.input[0].name: values})[0]
    assert graphs.difference(reference, expected) < TOLERANCE


def test_the_default_encoder_takes_as_many_nodes_as_its_formula():
    encoder = graphs.random_encoder(
        embedding_dim=64, head_size=256, num_heads=4, ff_dim=128, window_size=30,
        num_transformer_blocks=2, num_features=64,
    )  # fmt: skip
    found, _ = optimise(graphs.plain_onnx(encoder))
    assert graphs.operators(found) == {
        "Add": 5, "Gemm": 9, "LayerNormalization": 4, "MatMul": 4, "ReduceMean": 1, "Relu": 2,
        "Reshape": 9, "Softmax": 2, "Transpose": 2,
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis:UserWarning")
@pytest.mark.parametrize("opset", [17, 18])
def test_windows_of_one_row(opset):
    encoder = graphs.random_encoder(window_size=1)
    values = graphs.windows(encoder)
    found, _ = optimise(graphs.plain_onnx(encoder, opset))
    assert graphs.difference(graphs.run(found, values)[0], np.asarray(encoder(values))) < TOLERANCE


def test_the_rules_find_nothing_more_in_what_they_made():
    found, _ = optimise(graphs.plain_onnx(graphs.random_encoder(num_transformer_blocks=2)))
    again, reports = optimise(found)
    assert [report.applied for report in reports] == [0] * len(RULES)
    assert list(again.graph.node) == list(found.graph.node)


def test_a_model_is_not_changed_and_equal_models_give_equal_bytes():
    plain = graphs.plain_onnx(graphs.random_encoder())
    before = plain.SerializeToString(deterministic=True)
    first, second = optimise(plain)[0], optimise(plain)[0]
    assert plain.SerializeToString(deterministic=True) == before
    assert first.SerializeToString(deterministic=True) == second.SerializeToString(
        deterministic=True
    )


def own_model(kind):
    """Models that nobody planned for."""
    values = Input((7, 5))
    if kind == "lstm":
        return Model(values, layers.LSTM(4)(values))
    if kind == "dense":
        return keras.Sequential([values, layers.Flatten(), layers.Dense(4)])
    x = layers.Dense(16, activation="tanh")(values)
    x = x + layers.MultiHeadAttention(2, 12)(x, x)
    x = layers.LayerNormalization()(x)
    x = x + layers.Dense(16)(layers.Dense(20, activation="relu")(x))
    return Model(values, layers.GlobalAveragePooling1D()(x))


@pytest.mark.parametrize("kind", ["transformer", "dense", "lstm"])
def test_anyones_model_goes_through_with_the_rules_that_fit(kind):
    model = graphs.randomised(own_model(kind))
    values = graphs.windows(model)
    found, reports = optimise(graphs.plain_onnx(model))
    assert graphs.difference(graphs.run(found, values)[0], np.asarray(model(values))) < TOLERANCE
    if kind == "transformer":
        assert [report.applied for report in reports[:4]] == [1, 1, 0, 3]


class Singular(layers.Layer):
    """A layer that ONNX has no operators for."""

    def call(self, values):
        """Return the singular values of every window."""
        return keras.ops.svd(values, compute_uv=False)


def test_a_layer_that_cannot_be_exported_is_named():
    values = Input((7, 5))
    with pytest.raises(ExportError, match=r"needs Svd, which ONNX's default operators"):
        encoder_to_onnx(Model(values, Singular()(values)))


def test_a_model_of_two_inputs_is_refused():
    first, second = Input((7, 5)), Input((7, 5))
    model = Model([first, second], layers.GlobalMaxPooling1D()(first + second))
    with pytest.raises(ExportError, match="expected one input"):
        encoder_to_onnx(model)


@pytest.mark.parametrize("opset", [16, 19, "17"])
def test_an_opset_out_of_range_is_refused(opset):
    with pytest.raises(ConfigError, match=rf"opset is {opset!r}; it must be one of 17, 18"):
        encoder_to_onnx(graphs.random_encoder(), opset=opset)
