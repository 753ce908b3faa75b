"""The Keras side on disk: another process reads it, and training goes on from it."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from encoders import SMALL, randomised, windows

import regimetry as rg
from regimetry.encoder import EncoderConfig, load_encoder
from regimetry.encoder.objectives import OBJECTIVES
from regimetry.encoder.seeding import seeded
from regimetry.encoder.training import TrainingOptions, train_encoder
from regimetry.errors import ModelError

IN_ANOTHER_PROCESS = """
import sys
import numpy as np
import keras
import regimetry.encoder.model
from regimetry.encoder import load_encoder
values = np.load(sys.argv[1])
for path in sys.argv[2:]:
    for load in (load_encoder, keras.saving.load_model):
        np.save(f"{path}.{load.__name__}.npy", load(path)(values))
"""


def test_another_process_embeds_the_same(tmp_path):
    cases = [
        {"pooling": pooling, "encoding_method": method}
        for pooling, method in zip(
            ["mean", "moments", "max", "last", "attention"],
            ["sinusoidal", "learnable", "none", "sinusoidal", "learnable"],
            strict=True,
        )
    ]
    config = EncoderConfig(**SMALL, padding_mask=True)
    values = windows(config)
    np.save(tmp_path / "values.npy", values)
    expected = {}
    for case in cases:
        config = EncoderConfig(
            **SMALL, embedding_dim=9, encoding_style="stacked", padding_mask=True,
            look_ahead_mask=True, **case,
        )  # fmt: skip
        encoder = randomised(config)
        path = tmp_path / f"{config.pooling}.keras"
        encoder.save(path)
        expected[path] = np.asarray(encoder(values))
    subprocess.run(
        [sys.executable, "-c", IN_ANOTHER_PROCESS, tmp_path / "values.npy", *expected],
        check=True,
        capture_output=True,
        cwd=tmp_path,  # not the checkout, whose regimetry has no built extension
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    for path, embedding in expected.items():
        for load in ("load_encoder", "load_model"):
            found = np.load(f"{path}.{load}.npy")
            np.testing.assert_array_equal(found, embedding, err_msg=f"{path.name} {load}")


def _train_on(encoder, values):
    options = TrainingOptions(epochs=1, batch_size=64)
    with seeded(5):
        return train_encoder(encoder, values, OBJECTIVES["masked"](), options, seed=5)


@pytest.mark.parametrize("method", ["sinusoidal", "learnable"])
def test_training_goes_on_as_if_it_had_never_been_saved(method, tmp_path):
    config = EncoderConfig(**SMALL, embedding_dim=8, encoding_method=method)
    encoder = randomised(config)
    values = rg.rolling_windows(rg.simulate("s2", n_rows=400, seed=0).values, 7)[:, :, :3]
    values = np.ascontiguousarray(values, dtype=np.float32)
    _train_on(encoder, values)
    encoder.save(tmp_path / "e.keras")
    again = load_encoder(tmp_path / "e.keras")
    before = [w.copy() for w in again.get_weights()]
    assert _train_on(again, values) == _train_on(encoder, values)
    for one, other in zip(encoder.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    moved = [np.abs(a - b).max() for a, b in zip(before, again.get_weights(), strict=True)]
    assert max(moved) > 1e-4
    if method == "learnable":
        names = [variable.path for variable in again.trainable_variables]
        assert moved[names.index("positions/positions")] > 1e-4


def test_a_fit_goes_on_from_a_saved_encoder(detector, values, tmp_path):
    detector.encoder_.save(tmp_path / "e.keras")
    again = rg.RegimeDetector(
        encoder=load_encoder(tmp_path / "e.keras"),
        n_regimes=3, objective=None, n_landmarks=200, random_state=0,
    ).fit(values)  # fmt: skip
    np.testing.assert_array_equal(again.embeddings_, detector.embeddings_)


def test_nothing_in_a_file_is_executed(tmp_path):
    inputs = keras.Input((7, 3))
    keras.Model(inputs, keras.layers.Lambda(lambda x: x[:, -1])(inputs)).save(tmp_path / "l.keras")
    with pytest.raises(ModelError, match=r"l\.keras cannot be read as a Keras encoder .*ambda"):
        load_encoder(tmp_path / "l.keras")


class Unregistered(keras.layers.Layer):
    def call(self, inputs):
        return inputs[:, -1]


def test_what_is_no_encoder_is_refused(tmp_path):
    with pytest.raises(ModelError, match=r"none\.keras is no \.keras file"):
        load_encoder(tmp_path / "none.keras")
    (tmp_path / "m.h5").write_bytes(b"x")
    with pytest.raises(ModelError, match=r"m\.h5 is no \.keras file"):
        load_encoder(tmp_path / "m.h5")
    (tmp_path / "m.keras").write_text("not a model")
    with pytest.raises(ModelError, match="cannot be read as a Keras encoder"):
        load_encoder(tmp_path / "m.keras")
    inputs = keras.Input((7, 3))
    keras.Model(inputs, Unregistered()(inputs)).save(tmp_path / "u.keras")
    with pytest.raises(ModelError, match="imported and registered"):
        load_encoder(tmp_path / "u.keras")
