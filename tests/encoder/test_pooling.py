import graphs
import keras
import numpy as np
import pytest
from encoders import SMALL, randomised, windows

from regimetry.encoder import EncoderConfig, build_encoder, register_pooling, registry
from regimetry.encoder.pooling import MomentsPooling
from regimetry.errors import ConfigError
from regimetry.export.rules import optimise


@keras.saving.register_keras_serializable("test")
class FirstAndLast(keras.layers.Layer):
    """Both ends of the window: 2 D numbers."""

    def call(self, tokens):
        return keras.ops.concatenate([tokens[:, 0], tokens[:, -1]], axis=-1)


class EveryToken(keras.layers.Layer):
    def call(self, tokens):
        return tokens * 2.0


@pytest.fixture(autouse=True)
def _registry():
    before = dict(registry.POOLINGS)
    yield
    registry.POOLINGS.clear()
    registry.POOLINGS.update(before)


def test_a_new_pooling_is_a_class_and_a_line(tmp_path):
    register_pooling("ends", FirstAndLast)
    config = EncoderConfig(**SMALL, embedding_dim=8, pooling="ends")
    encoder, values = randomised(config), windows(config)
    assert encoder.output_shape == (None, 16)
    expected = np.asarray(encoder(values))
    graph, _ = optimise(graphs.plain_onnx(encoder))
    assert graphs.difference(graphs.run(graph, values)[0], expected) < 2e-6
    encoder.save(tmp_path / "e.keras")
    again = keras.saving.load_model(tmp_path / "e.keras")
    np.testing.assert_array_equal(again(values), expected)


def test_a_pooling_may_be_named_by_where_it_is():
    register_pooling("deviations", "regimetry.encoder.pooling:MomentsPooling")
    encoder = build_encoder(EncoderConfig(**SMALL, pooling="deviations"))
    assert isinstance(encoder.get_layer("pooling"), MomentsPooling)


def test_an_unknown_name_lists_the_registered_ones():
    register_pooling("ends", FirstAndLast)
    with pytest.raises(ConfigError, match=r"pooling is 'end'; it must be one of .*, 'ends'"):
        EncoderConfig(pooling="end")


@pytest.mark.parametrize(
    ("name", "layer", "message"),
    [
        ("mean", FirstAndLast, "name is 'mean'; it must be a text other than .* 'mean', 'moments'"),
        ("", FirstAndLast, "name is ''"),
        (3, FirstAndLast, "name is 3"),
        ("ends", FirstAndLast(), "layer is <FirstAndLast .*>; it must be a class"),
        ("ends", "FirstAndLast", "layer is 'FirstAndLast'; it must be a class"),
    ],
)
def test_what_cannot_be_registered(name, layer, message):
    with pytest.raises(ConfigError, match=message):
        register_pooling(name, layer)


def test_a_pooling_must_give_one_row_and_take_the_mask_if_there_is_one():
    register_pooling("every", EveryToken)
    with pytest.raises(ConfigError, match=r"pooling is 'every', which turns tokens .* one row"):
        build_encoder(EncoderConfig(**SMALL, pooling="every"))
    register_pooling("ends", FirstAndLast)
    with pytest.raises(ConfigError, match="padding_mask is True; the pooling 'ends'"):
        build_encoder(EncoderConfig(**SMALL, pooling="ends", padding_mask=True))


def test_a_constant_token_has_no_autocorrelation():
    moments = np.asarray(MomentsPooling()(np.full((1, 6, 2), 5.0, dtype=np.float32)))
    np.testing.assert_allclose(moments, [[5, 5, 1e-6, 1e-6, 0, 0]], atol=1e-7)
