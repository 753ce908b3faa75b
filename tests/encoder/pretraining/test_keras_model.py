"""The folded network as a Keras model."""

import keras
import numpy as np
import pytest
from networks import folded_with_windows

from regimetry.encoder import load_encoder
from regimetry.encoder.build import token_model
from regimetry.encoder.objectives import OBJECTIVES, OF_EMBEDDINGS
from regimetry.encoder.pretraining.keras_model import folded_model, folded_of
from regimetry.encoder.pretraining.reference import embed_in_numpy
from regimetry.errors import ConfigError
from regimetry.windows import Windows


def scaled(found, expected):
    return np.abs(np.asarray(found) - expected).max() / np.abs(expected).max()


@pytest.mark.parametrize(
    ("window_size", "n_features"), [(2, 1), (16, 3), (45, 30), (161, 2), (330, 2)]
)
def test_it_equals_numpy(window_size, n_features):
    folded, windows = folded_with_windows(window_size, n_features)
    found = np.asarray(folded_model(folded)(windows))
    assert found.shape == (len(windows), folded.size) == (len(windows), 64)
    assert scaled(found, embed_in_numpy(folded, windows)) < 1e-5


def test_one_changed_weight_shows():
    folded, windows = folded_with_windows(16, 3, n_windows=2)
    model, expected = folded_model(folded), embed_in_numpy(folded, windows)
    untouched = model.get_weights()
    for number, variable in enumerate(model.weights):
        weights = [array.copy() for array in untouched]
        if "relative" in variable.path:
            weights[number][:, 19] += 0.5  # that of a patch with itself
        else:
            weights[number].flat[0] += 0.5
        model.set_weights(weights)
        assert scaled(model(windows), expected) > 1e-5, variable.path


def test_the_way_back_has_what_training_changed():
    folded, windows = folded_with_windows(16, 3)
    model = folded_model(folded)
    same = folded_of(model, folded)
    np.testing.assert_array_equal(embed_in_numpy(same, windows), embed_in_numpy(folded, windows))
    generator = np.random.default_rng(0)
    model.set_weights([w + 0.1 * generator.standard_normal(w.shape) for w in model.get_weights()])
    changed = folded_of(model, folded)
    assert changed.weights.keys() == folded.weights.keys()
    assert changed.geometry == folded.geometry
    expected = embed_in_numpy(changed, windows)
    assert scaled(model(windows), expected) < 1e-5
    assert scaled(embed_in_numpy(folded, windows), expected) > 1e-2


def test_it_is_saved_loaded_and_copied(tmp_path):
    folded, windows = folded_with_windows(45, 3)
    model = folded_model(folded)
    expected = np.asarray(model(windows))
    model.save(tmp_path / "e.keras")
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    for again in (load_encoder(tmp_path / "e.keras"), copy):
        np.testing.assert_array_equal(np.asarray(again(windows)), expected)


def test_objectives_on_single_rows_are_refused_and_the_others_take_it():
    folded, windows = folded_with_windows(16, 3, n_windows=40)
    model = folded_model(folded)
    with pytest.raises(ConfigError, match=r"16 tokens for the 24 rows .* vamp2, contrast, vicreg"):
        token_model(model)
    few = Windows([windows])
    for name, make in OBJECTIVES.items():
        objective = make(8)
        if name in OF_EMBEDDINGS:
            assert objective.attach(model, few).input_shape == model.input_shape
        else:
            with pytest.raises(ConfigError, match="a token of every row"):
                objective.attach(model, few)
