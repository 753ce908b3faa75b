"""The Keras side on disk: another process reads it, and training goes on from it."""

import itertools
import os
import subprocess
import sys
from typing import get_args

import keras
import numpy as np
import pytest
from encoders import SMALL, randomised, windows
from networks import folded_with_windows, random_series

import regimetry as rg
from regimetry.encoder import EncoderConfig, load_encoder, registry
from regimetry.encoder.bank_layer import with_bank
from regimetry.encoder.config import EncodingMethod
from regimetry.encoder.convolutions import fit_bank
from regimetry.encoder.pretraining.keras_model import folded_model
from regimetry.errors import ModelError
from regimetry.windows import rolling_windows

IN_ANOTHER_PROCESS = """
import sys
import numpy as np
import keras
import regimetry.encoder.build
from regimetry.encoder import load_encoder
values = np.load(sys.argv[1])
for path in sys.argv[2:]:
    for load in (load_encoder, keras.saving.load_model):
        np.save(f"{path}.{load.__name__}.npy", load(path)(values))
"""


def test_another_process_embeds_the_same(tmp_path):
    methods = itertools.cycle(get_args(EncodingMethod))
    config = EncoderConfig(**SMALL, padding_mask=True)
    values = windows(config)
    np.save(tmp_path / "values.npy", values)
    expected = {}
    for pooling, method in zip(registry.POOLINGS, methods, strict=False):
        config = EncoderConfig(
            **SMALL, embedding_dim=9, encoding_style="stacked", padding_mask=True,
            look_ahead_mask=True, pooling=pooling, encoding_method=method,
        )  # fmt: skip
        encoder = randomised(config)
        path = tmp_path / f"{pooling}.keras"
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


def test_a_process_that_has_imported_no_layer_loads_banks_and_pretrained_ones(tmp_path):
    rows = random_series(300, 3)
    bank = fit_bank([rows], 10, 0)
    folded, _ = folded_with_windows(10, 3)
    assert bank.reach == folded.geometry.reach
    values = np.ascontiguousarray(rolling_windows(rows, 10 + bank.reach)[:5])
    np.save(tmp_path / "values.npy", values)
    encoders = {"bank.keras": with_bank(bank, None), "pretrained.keras": folded_model(folded)}
    for name, encoder in encoders.items():
        encoder.save(tmp_path / name)
    source = """
import sys
import numpy as np
from regimetry.encoder import load_encoder
for path in sys.argv[1:]:
    np.save(f"{path}.npy", load_encoder(path)(np.load("values.npy")))
"""
    subprocess.run(
        [sys.executable, "-c", source, *encoders],
        check=True,
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    for name, encoder in encoders.items():
        found = np.load(tmp_path / f"{name}.npy")
        np.testing.assert_array_equal(found, np.asarray(encoder(values)), err_msg=name)


def _step(encoder, values):
    encoder.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
    encoder.train_on_batch(values, np.ones((len(values), encoder.output_shape[1])))


def test_a_step_from_the_loaded_model_is_the_step_from_the_one_never_saved(tmp_path):
    config = EncoderConfig(
        **SMALL, embedding_dim=8, encoding_method="learnable", dropout=0.0,
        num_transformer_blocks=1,
    )  # fmt: skip
    encoder, values = randomised(config), windows(config, n=64)
    encoder.save(tmp_path / "e.keras")
    again = load_encoder(tmp_path / "e.keras")
    before = {variable.path: np.array(variable.value) for variable in again.trainable_variables}
    _step(encoder, values)
    _step(again, values)
    for one, other in zip(encoder.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for variable in again.trainable_variables:  # the positions among them
        if not variable.path.endswith("key/bias"):  # which the softmax ignores
            moved = np.abs(before[variable.path] - np.array(variable.value)).max()
            assert moved > 1e-4, variable.path
    assert "positions/positions" in before


def test_a_fit_goes_on_from_a_saved_encoder(detector, values, tmp_path):
    """With dropout, too, whose draws come from the fit's seed."""
    detector.encoder_.save(tmp_path / "e.keras")
    fits = [
        rg.RegimeDetector(
            window_size=10,
            encoder=encoder, n_regimes=3, objective="masked", epochs=1, n_landmarks=200,
            random_state=0,
        ).fit(values)
        for encoder in (load_encoder(tmp_path / "e.keras"), detector.encoder_)
    ]  # fmt: skip
    assert fits[0].history_ == fits[1].history_
    np.testing.assert_array_equal(fits[0].embeddings_, fits[1].embeddings_)
    assert np.abs(fits[0].embeddings_ - detector.embeddings_).max() > 1e-4


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
