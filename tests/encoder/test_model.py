import graphs
import numpy as np
import pytest
from encoders import SMALL, randomised, windows

from regimetry.encoder import EncoderConfig, build_encoder
from regimetry.encoder.seeding import seeded
from regimetry.errors import ConfigError
from regimetry.export.rules import optimise


@pytest.mark.parametrize(
    "fields",
    [
        {"num_transformer_blocks": 0, "embedding_dim": 9, "encoding_style": "stacked"},
        {"num_transformer_blocks": 6, "num_heads": 1, "encoding_method": "learnable"},
        {"num_transformer_blocks": 1, "num_heads": 8, "encoding_method": "none"},
        {"num_transformer_blocks": 2, "num_heads": 5, "embedding_dim": 8, "dropout": 0.0},
        {"num_features": 1, "embedding_dim": 5, "encoding_style": "stacked", "pooling": "moments"},
    ],
    ids=str,
)
def test_stacks_of_any_depth_and_heads_of_any_number_export(fields):
    encoder = randomised(config := EncoderConfig(**{**SMALL, **fields}))
    graph, _ = optimise(graphs.plain_onnx(encoder))
    values = windows(config)
    found, expected = graphs.run(graph, values)[0], np.asarray(encoder(values))
    # Three numbers a token and six normalisations in a row let rounding grow.
    assert graphs.difference(found, expected) < 2e-5
    weights = [w + 0.01 * np.random.default_rng(0).random(w.shape) for w in encoder.get_weights()]
    encoder.set_weights(weights)
    assert graphs.difference(found, np.asarray(encoder(values))) > 1e-4


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
