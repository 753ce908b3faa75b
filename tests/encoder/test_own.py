"""A Keras model of the user's own in the encoder's place."""

import keras
import numpy as np
import pytest
from encoders import fit_fast
from keras import layers
from sklearn.base import clone

import regimetry as rg
from regimetry.encoder import EncoderConfig, build_encoder
from regimetry.encoder.blocks import transformer_block
from regimetry.encoder.build import token_model
from regimetry.encoder.own import own_encoder
from regimetry.encoder.pooling import MomentsPooling
from regimetry.errors import ConfigError

W, F = 10, 4


def convolutions(pooling="pooling"):
    inputs = keras.Input((W, F))
    hidden = layers.Conv1D(6, 3, padding="causal", activation="relu")(inputs)
    hidden = layers.LayerNormalization()(hidden)
    return keras.Model(inputs, MomentsPooling(name=pooling)(hidden), name="convolutions")


def sequential():
    return keras.Sequential(
        [keras.Input((W, F)), layers.LSTM(5, unroll=True), layers.Dense(4)], name="recurrent"
    )


def blocks():
    """A model of this package's parts: two blocks of different kinds."""
    inputs = keras.Input((W, F))
    tokens = layers.Dense(8)(inputs)
    wide = EncoderConfig(embedding_dim=8, head_size=4, num_heads=3, ff_dim=16)
    tokens = transformer_block(tokens, wide, None, "wide")
    causal = EncoderConfig(
        embedding_dim=8, head_size=4, num_heads=1, ff_dim=8, look_ahead_mask=True
    )
    tokens = transformer_block(tokens, causal, None, "causal")
    return keras.Model(inputs, MomentsPooling(name="pooling")(tokens), name="blocks")


def fit(model, values, **parameters):
    return fit_fast(values, encoder=model, n_regimes=2, **parameters)


def in_a_dict():
    inputs = keras.Input((W, F), name="bars")
    return keras.Model({"bars": inputs}, [layers.Flatten()(inputs)], name="dictionary")


@pytest.mark.parametrize("make", [convolutions, sequential, blocks, in_a_dict])
def test_it_fits_exports_saves_loads_and_runs(make, values, tmp_path):
    model = make()
    detector = fit(model, values)
    assert detector.encoder_ is not model
    size = model.output_shape[1]
    assert detector.embeddings_.shape == (len(values) - W, size)  # one row less: differenced
    detector.save(tmp_path / "own.onnx")
    loaded = rg.load(tmp_path / "own.onnx")
    np.testing.assert_array_equal(loaded.predict(values), detector.labels_)

    description = loaded.contract.training.configuration["encoder"]
    assert description["name"] == model.name
    assert description["parameters"] == model.count_params()
    assert description["output_dim"] == size
    assert description["input_shape"] == [W, F]
    assert len(description["layers"]) >= 2
    assert description["layers"][-1].split()[0] in ("MomentsPooling", "Dense", "Flatten")


def test_the_fit_starts_from_its_weights_and_leaves_it_as_it_was(values):
    model = convolutions()
    before = [w.copy() for w in model.get_weights()]
    detector = fit(model, values, objective="masked", epochs=2)
    assert detector.encoder is model
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)
    moved = [
        np.abs(a - b).max() for a, b in zip(detector.encoder_.get_weights(), before, strict=True)
    ]
    assert 0 < max(moved) < 0.5


def test_scikit_learn_clones_it(values):
    detector = rg.RegimeDetector(
        window_size=10, encoder=convolutions(), n_regimes=2, objective=None
    )
    assert detector.get_params()["encoder"] is detector.encoder
    twin = clone(detector).set_params(random_state=0, n_landmarks=120)
    detector.set_params(random_state=0, n_landmarks=120)
    np.testing.assert_array_equal(twin.fit_predict(values), detector.fit_predict(values))
    assert "convolutions" in repr(detector)


def test_the_copy_has_the_weights_and_frozen_layers_stay_frozen():
    model = convolutions()
    model.layers[1].trainable = False
    copy = own_encoder(model, W, F)
    for weight, given in zip(copy.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, given)
    assert len(copy.trainable_weights) == len(model.trainable_weights) == 2


def test_an_objective_that_needs_tokens_says_so(values):
    with pytest.raises(ConfigError, match="'recurrent' has no layer named 'pooling'"):
        fit(sequential(), values, objective="masked")
    with pytest.raises(ConfigError, match="'convolutions' has no layer named 'pooling'"):
        fit(convolutions(pooling="moments"), values, objective="masked")


def test_the_token_model_ends_before_the_pooling_with_a_mask_or_without():
    for padding in (False, True):
        config = EncoderConfig(window_size=W, num_features=F, head_size=4, padding_mask=padding)
        tokens = token_model(build_encoder(config))
        assert tokens.output_shape == (None, W, F)


class Subclassed(keras.Model):
    def call(self, inputs):
        return inputs[:, -1]


def _through(layer, shape=(W, F), **arguments):
    inputs = keras.Input(shape, **arguments)
    return keras.Model(inputs, layer(inputs), name="mine")


def _two(inputs=1):
    first, second = keras.Input((W, F)), keras.Input((W, F))
    if inputs == 2:
        return keras.Model([first, second], layers.Flatten()(first + second), name="mine")
    return keras.Model(first, [first[:, 0], first[:, 1]], name="mine")


@pytest.mark.parametrize(
    ("make", "found", "remedy"),
    [
        (lambda: Subclassed(name="mine"), "a Subclassed without a fixed input", "keras.Input"),
        (lambda: keras.Sequential([layers.Flatten()], name="mine"),
         "a Sequential without a fixed input", "keras.Input"),
        (lambda: _through(layers.Flatten(), (W + 1, F)), r"reads float32 \(None, 11, 4\)",
         "change window_size"),
        (lambda: _through(layers.GlobalMaxPooling1D(), (None, F)),
         r"reads float32 \(None, None, 4\)", "change window_size"),
        (lambda: _through(layers.Flatten(), dtype="int32"), "reads int32", "keras.Input"),
        (lambda: _two(inputs=2), "reads float32 .* and float32", "keras.Input"),
        (_two, "gives float32 .* and float32", "one pooling over time"),
        (lambda: _through(layers.Dense(3)), r"gives float32 \(None, 10, 3\)", "one pooling"),
        (lambda: _through(layers.GlobalMaxPooling1D(dtype="float16")), "gives float16",
         "Cast the output"),
        (lambda: _through(layers.Lambda(lambda x: x[:, -1])), "cannot be copied", "a Lambda"),
    ],
)  # fmt: skip
def test_what_cannot_take_the_place_is_refused(make, found, remedy):
    with pytest.raises(ConfigError, match=f"encoder is 'mine', .*{found}.*; expected .*{remedy}"):
        own_encoder(make(), W, F)


def test_the_detector_names_what_it_takes(values):
    with pytest.raises(ConfigError, match="a Keras model, the path"):
        rg.RegimeDetector(window_size=10, encoder=layers.Dense(3)).fit(values)
    with pytest.raises(ConfigError, match="encoder is 'convolutions', which reads"):
        rg.RegimeDetector(encoder=convolutions(), window_size=12).fit(values)


def test_a_layer_that_onnx_lacks_stops_the_fit(values):
    from regimetry.errors import ExportError

    @keras.saving.register_keras_serializable("test")
    class Fourier(layers.Layer):
        def call(self, inputs):
            real, _ = keras.ops.fft((inputs[..., 0], inputs[..., 1]))
            return real

    with pytest.raises(ExportError, match=r"cannot be converted|needs"):
        fit(_through(Fourier()), values)
