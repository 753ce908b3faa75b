import numpy as np
import pytest
from encoders import SMALL

from regimetry.encoder import EncoderConfig, build_encoder
from regimetry.encoder.seeding import seeded
from regimetry.errors import ConfigError


@pytest.mark.parametrize(("features", "parameters"), [(64, 564224), (80, 703680)])
def test_parameter_count_of_the_default_configuration(features, parameters):
    # Per block: attention 4 D H S + 3 H S + D, two normalisations 4 D, dense 2 D ff + ff + D.
    per_block = 4 * features * 1024 + 3 * 1024 + features + 4 * features
    per_block += 2 * features * 128 + 128 + features
    assert 2 * per_block == parameters
    assert build_encoder(EncoderConfig(num_features=features)).count_params() == parameters


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
