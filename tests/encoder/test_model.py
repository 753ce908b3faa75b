import itertools

import keras
import numpy as np
import pytest
from encoder_oracle import encode

from regimetry.encoder import EncoderConfig, build_encoder
from regimetry.encoder.seeding import seeded
from regimetry.errors import ConfigError

SMALL = {"window_size": 7, "num_features": 3, "head_size": 5, "num_heads": 2, "ff_dim": 11}


def _randomised(config, seed=0):
    """An encoder whose every weight, biases and normalisations included, is random."""
    with seeded(seed):
        encoder = build_encoder(config)
    generator = np.random.default_rng(seed)
    encoder.set_weights(
        [w + 0.3 * generator.standard_normal(w.shape) for w in encoder.get_weights()]
    )
    return encoder


def _windows(config, n=9, seed=1):
    windows = np.random.default_rng(seed).standard_normal(
        (n, config.window_size, config.num_features)
    )
    if config.padding_mask:
        for i in range(1, n):
            windows[i, : i % (config.window_size - 1)] = np.nan
    return windows.astype(np.float32)


@pytest.mark.parametrize(
    ("method", "style", "dim"),
    [
        ("sinusoidal", "interleaved", 8),
        ("sinusoidal", "stacked", 8),
        ("sinusoidal", "stacked", 9),
        ("sinusoidal", "interleaved", None),
        ("learnable", "interleaved", 8),
        ("none", "interleaved", 8),
    ],
)
def test_positions_agree_with_the_oracle(method, style, dim):
    config = EncoderConfig(**SMALL, encoding_method=method, encoding_style=style, embedding_dim=dim)
    encoder, windows = _randomised(config), _windows(config)
    np.testing.assert_allclose(
        encoder(windows), encode(encoder, config, windows), rtol=0, atol=1e-5
    )


@pytest.mark.parametrize(
    ("pooling", "padding", "look_ahead"),
    list(
        itertools.product(
            ["mean", "moments", "max", "last", "attention"], [False, True], [False, True]
        )
    ),
)
def test_poolings_and_masks_agree_with_the_oracle(pooling, padding, look_ahead):
    config = EncoderConfig(
        **SMALL,
        embedding_dim=8,
        pooling=pooling,
        padding_mask=padding,
        look_ahead_mask=look_ahead,
    )
    encoder, windows = _randomised(config), _windows(config)
    np.testing.assert_allclose(
        encoder(windows), encode(encoder, config, windows), rtol=0, atol=1e-5
    )


def test_the_oracle_comparison_can_fail():
    config = EncoderConfig(**SMALL, embedding_dim=8)
    encoder, windows = _randomised(config), _windows(config)
    expected = encode(encoder, config, windows)
    weights = encoder.get_weights()
    weights[3].flat[0] += 0.05
    encoder.set_weights(weights)
    assert np.abs(encoder(windows) - expected).max() > 1e-5


@pytest.mark.parametrize(("features", "parameters"), [(64, 564224), (80, 703680)])
def test_parameter_count_of_the_default_configuration(features, parameters):
    # Per block: attention 4 D H S + 3 H S + D, two normalisations 4 D, dense 2 D ff + ff + D.
    per_block = 4 * features * 1024 + 3 * 1024 + features + 4 * features
    per_block += 2 * features * 128 + 128 + features
    assert 2 * per_block == parameters
    assert build_encoder(EncoderConfig(num_features=features)).count_params() == parameters


def test_masked_bars_change_nothing():
    config = EncoderConfig(**SMALL, embedding_dim=8, padding_mask=True, pooling="moments")
    encoder, windows = _randomised(config), _windows(config)
    other = windows.copy()
    other[np.isnan(windows).any(axis=2), 1:] = 1e3  # the NaN that marks the row stays
    np.testing.assert_array_equal(encoder(windows), encoder(other))


def test_later_bars_change_no_earlier_token():
    from regimetry.encoder.model import token_model

    config = EncoderConfig(**SMALL, embedding_dim=8, look_ahead_mask=True)
    tokens, windows = token_model(_randomised(config)), _windows(config)
    other = windows.copy()
    other[:, 4:] += 10.0
    before, after = np.asarray(tokens(windows)), np.asarray(tokens(other))
    np.testing.assert_array_equal(before[:, :4], after[:, :4])
    assert np.abs(before[:, 4:] - after[:, 4:]).max() > 0.1


def test_a_window_without_a_usable_bar_gives_finite_numbers():
    config = EncoderConfig(**SMALL, embedding_dim=8, padding_mask=True)
    windows = np.full((2, 7, 3), np.nan, dtype=np.float32)
    assert np.isfinite(np.asarray(_randomised(config)(windows))).all()


def test_a_constant_token_has_no_autocorrelation():
    from regimetry.encoder.pooling import MomentsPooling

    moments = np.asarray(MomentsPooling()(np.full((1, 6, 2), 5.0, dtype=np.float32)))
    np.testing.assert_allclose(moments, [[5, 5, 1e-6, 1e-6, 0, 0]], atol=1e-7)


def test_a_saved_model_embeds_as_it_did(tmp_path):
    for method, pooling in (("sinusoidal", "moments"), ("learnable", "attention")):
        config = EncoderConfig(
            **SMALL, embedding_dim=8, encoding_method=method, pooling=pooling, padding_mask=True
        )
        encoder, windows = _randomised(config), _windows(config)
        encoder.save(tmp_path / "encoder.keras")
        again = keras.saving.load_model(tmp_path / "encoder.keras")
        np.testing.assert_array_equal(encoder(windows), again(windows))


def test_the_name_is_the_documented_one():
    assert build_encoder(EncoderConfig(**SMALL)).name == "UnsupervisedTransformerEncoder"


def test_unknown_width_is_refused():
    with pytest.raises(ConfigError, match="num_features"):
        build_encoder(EncoderConfig())


def test_seeding_repeats_weights_and_leaves_global_states_alone():
    import random

    config = EncoderConfig(**SMALL)
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    expected = (random.random(), np.random.random())  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    with seeded(3):
        first = build_encoder(config).get_weights()
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002
    with seeded(3):
        second = build_encoder(config).get_weights()
    assert all((a == b).all() for a, b in zip(first, second, strict=True))
