"""Keras, numpy and the graph compute one encoder, for every choice that a configuration has."""

from functools import partial
from typing import get_args

import graphs
import keras
import numpy as np
import pytest
from encoders import SMALL, randomised, windows

from regimetry.encoder import EncoderConfig, build_encoder, registry
from regimetry.encoder.build import read_weights
from regimetry.encoder.config import EncodingMethod
from regimetry.encoder.reference import embed_in_numpy
from regimetry.encoder.weights import draw_weights
from regimetry.export.assemble import assemble_encoder
from regimetry.export.encoder import encoder_part

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


def in_keras(encoder, config, values):
    return np.asarray(encoder(values))


def in_the_graph(encoder, config, values, opset=17):
    part = encoder_part(config, read_weights(encoder), opset)
    return graphs.run(assemble_encoder(part), values)[0]


def in_numpy(encoder, config, values):
    return embed_in_numpy(config, read_weights(encoder), values)


def difference(compute, encoder, config, values):
    """Largest absolute difference from numpy, relative to the largest entry if that exceeds 1."""
    found = compute(encoder, config, values)
    expected = in_numpy(encoder, config, values)
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
def test_every_pair_of_choices_agrees(number):
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
    encoder, values = randomised(config, seed=number), windows(config)
    assert difference(in_keras, encoder, config, values) < TOLERANCE
    for opset in (17, 18):
        graph = partial(in_the_graph, opset=opset)
        assert difference(graph, encoder, config, values) < TOLERANCE


@pytest.mark.parametrize(
    "fields",
    [
        {"window_size": 1, "pooling": "mean"},
        {"window_size": 1, "pooling": "moments"},
        {"window_size": 1, "pooling": "attention", "padding_mask": True, "look_ahead_mask": True},
        {"num_features": 1},
        {"num_features": 1, "embedding_dim": 1, "encoding_style": "stacked"},
        {"num_features": 7, "encoding_style": "stacked"},  # an odd D without a projection
        {"num_heads": 8},
        {"num_transformer_blocks": 6},
    ],
    ids=str,
)
@pytest.mark.usefixtures("float64")
@pytest.mark.filterwarnings("ignore:You are using a softmax over axis:UserWarning")  # W = 1
def test_the_ends_of_the_sizes_agree_too(fields):
    # In float64: a normalisation of one number, or six in a row, lets rounding grow beyond 1e-5.
    config = EncoderConfig(**{**SMALL, **fields})
    values = windows(config).astype(np.float64)
    assert difference(in_keras, randomised(config), config, values) < TOLERANCE


@pytest.mark.parametrize("heads", [(24, 2), (5, 2)], ids=["folded", "plain"])
@pytest.mark.parametrize("masks", MASKS, ids=str)
@pytest.mark.parametrize("fields", [{"embedding_dim": 16}, {"embedding_dim": 4}, {}], ids=str)
def test_each_way_to_write_attention_agrees(fields, masks, heads):
    """Few features before wide tokens, the reverse, none before; heads too small to fold."""
    config = EncoderConfig(
        **{**SMALL, "head_size": heads[0], "num_heads": heads[1]},
        **{"num_transformer_blocks": 2, "padding_mask": masks[0], "look_ahead_mask": masks[1]},
        **fields,
    )
    encoder, values = randomised(config), windows(config)
    assert difference(in_the_graph, encoder, config, values) < TOLERANCE


@pytest.mark.parametrize("compute", [in_keras, in_the_graph])
@pytest.mark.parametrize(
    "fields", [{}, {"padding_mask": True, "pooling": "attention", "num_features": 12}]
)
def test_one_changed_weight_of_any_layer_shows(fields, compute):
    config = EncoderConfig(
        **{**SMALL, **fields},
        embedding_dim=8,
        encoding_method="learnable",
        num_transformer_blocks=1,
    )
    encoder, values = randomised(config), windows(config)
    expected = in_numpy(encoder, config, values)
    untouched = encoder.get_weights()
    for number, variable in enumerate(encoder.weights):
        if variable.path.endswith("key/bias"):
            continue  # the softmax ignores it, as what all keys share
        weights = [w.copy() for w in untouched]
        weights[number].flat[0] += 0.1  # one entry: a normalisation ignores an equal shift of all
        encoder.set_weights(weights)
        assert np.abs(compute(encoder, config, values) - expected).max() > TOLERANCE, variable.path


def test_numpy_takes_no_part_of_the_encoder_but_its_weights():
    config = EncoderConfig(**SMALL, embedding_dim=8)
    encoder, values = randomised(config), windows(config)
    other = EncoderConfig(**SMALL, embedding_dim=8, encoding_style="stacked")
    assert np.abs(in_keras(encoder, config, values) - in_numpy(encoder, other, values)).max() > 0.01


def test_a_keras_model_of_a_seed_has_the_weights_that_numpy_draws():
    config = EncoderConfig(**SMALL, encoding_method="learnable", pooling="attention")
    drawn, found = draw_weights(config, 3), read_weights(build_encoder(config, seed=3))
    assert drawn.keys() == found.keys()
    for name, arrays in drawn.items():
        assert all(np.array_equal(a, b) for a, b in zip(arrays, found[name], strict=True)), name
    matrix = drawn["block_0_attention"][0]
    limit = np.sqrt(6 / (SMALL["num_features"] + SMALL["num_heads"] * SMALL["head_size"]))
    assert 0.8 * limit < np.abs(matrix).max() < limit
    assert not np.array_equal(matrix, draw_weights(config, 4)["block_0_attention"][0])


def test_the_default_encoder_takes_as_many_nodes_as_its_formula():
    config = EncoderConfig(num_features=64)
    graph = assemble_encoder(encoder_part(config, draw_weights(config, 0), 17))
    assert graphs.operators(graph) == {
        "Add": 5, "Gemm": 8, "LayerNormalization": 4, "MatMul": 4, "ReduceMean": 1, "Relu": 2,
        "Reshape": 8, "Softmax": 2, "Transpose": 2,
    }  # fmt: skip
