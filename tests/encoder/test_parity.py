"""The Keras encoder against the oracle, in numpy, for every choice that a configuration has."""

from typing import get_args

import keras
import numpy as np
import pytest
from encoder_oracle import encode
from encoders import SMALL, randomised, windows

from regimetry.encoder import EncoderConfig, registry
from regimetry.encoder.config import EncodingMethod

TOLERANCE = 1e-5
METHODS = [
    ("sinusoidal", "stacked"),
    *((method, "interleaved") for method in get_args(EncodingMethod)),
]
COMBINATIONS = [(method, pooling) for method in METHODS for pooling in registry.POOLINGS]
# What else varies, in cycles: every pooling and every method meets every pair of masks.
MASKS = [(False, False), (False, True), (True, False), (True, True)]
DIMENSIONS = [8, 9, 7, 16, 6, 12, 5]
HEADS_AND_DEPTHS = [(1, 1), (2, 0), (3, 2), (4, 1), (2, 3)]
DROPOUTS = [0.1, 0.0, 0.3]


def difference(encoder, config, values):
    """Largest absolute difference, in units of the largest entry where that exceeds 1."""
    found = np.asarray(encoder(values))
    expected = encode(encoder, config, values)
    assert found.shape == expected.shape
    return np.abs(found - expected).max() / max(1.0, np.abs(expected).max())


@pytest.fixture
def float64():
    """Keras computes in float64, where only another formula makes a difference."""
    keras.config.set_dtype_policy("float64")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    "number",
    range(len(COMBINATIONS)),
    ids=["-".join((*method, pooling)) for method, pooling in COMBINATIONS],
)
def test_every_pair_of_choices_agrees_with_the_oracle(number):
    (method, style), pooling = COMBINATIONS[number]
    padding, look_ahead = MASKS[number % 4]
    heads, depth = HEADS_AND_DEPTHS[number // 4]
    config = EncoderConfig(
        **{**SMALL, "num_heads": heads},
        embedding_dim=DIMENSIONS[number % 7],
        num_transformer_blocks=depth,
        dropout=DROPOUTS[number % 3],
        encoding_method=method,
        encoding_style=style,
        pooling=pooling,
        padding_mask=padding,
        look_ahead_mask=look_ahead,
    )
    assert difference(randomised(config, seed=number), config, windows(config)) < TOLERANCE


@pytest.mark.parametrize(
    "fields",
    [
        {"window_size": 1, "pooling": "mean"},
        {"window_size": 1, "pooling": "moments"},
        {"window_size": 1, "pooling": "attention", "padding_mask": True, "look_ahead_mask": True},
        {"num_features": 1},
        {"num_features": 1, "embedding_dim": 1, "encoding_style": "stacked"},
        {"num_features": 7, "encoding_style": "stacked"},  # an odd D without a projection
        *({"num_heads": heads} for heads in range(3, 9)),
        *({"num_transformer_blocks": depth} for depth in range(4, 7)),
    ],
    ids=str,
)
@pytest.mark.usefixtures("float64")
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis:UserWarning")  # W = 1
def test_the_ends_of_the_sizes_agree_too(fields):
    # In float64: a normalisation of one number, or six in a row, lets rounding grow beyond 1e-5.
    config = EncoderConfig(**{**SMALL, **fields})
    values = windows(config).astype(np.float64)
    assert difference(randomised(config), config, values) < TOLERANCE


@pytest.mark.parametrize("fields", [{}, {"padding_mask": True, "pooling": "attention"}])
def test_one_changed_weight_of_any_layer_shows(fields):
    config = EncoderConfig(
        **SMALL, embedding_dim=8, encoding_method="learnable", num_transformer_blocks=1, **fields
    )
    encoder, values = randomised(config), windows(config)
    expected = encode(encoder, config, values)
    untouched = encoder.get_weights()
    for number, variable in enumerate(encoder.weights):
        if variable.path.endswith("key/bias"):
            continue  # the softmax ignores it, as what all keys share
        weights = [w.copy() for w in untouched]
        weights[number].flat[0] += 0.1  # one entry: a normalisation ignores an equal shift of all
        encoder.set_weights(weights)
        assert np.abs(np.asarray(encoder(values)) - expected).max() > TOLERANCE, variable.path


def test_the_oracle_takes_no_part_of_the_encoder_but_its_weights():
    config = EncoderConfig(**SMALL, embedding_dim=8)
    encoder, values = randomised(config), windows(config)
    other = EncoderConfig(**SMALL, embedding_dim=8, encoding_style="stacked")
    assert np.abs(np.asarray(encoder(values)) - encode(encoder, other, values)).max() > 0.01
