import keras
import numpy as np
import pytest
from encoders import SMALL

from regimetry.encoder import EncoderConfig, build_encoder
from regimetry.encoder.seeding import seeded
from regimetry.errors import ConfigError


def test_the_name_is_the_documented_one():
    assert build_encoder(EncoderConfig(**SMALL)).name == "UnsupervisedTransformerEncoder"


def test_unknown_width_is_refused():
    with pytest.raises(ConfigError, match="num_features"):
        build_encoder(EncoderConfig())


def test_seeding_repeats_what_keras_draws_and_leaves_global_states_alone():
    import random

    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    expected = (random.random(), np.random.random())  # noqa: NPY002
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    with seeded(3):
        first = keras.random.normal((4,))
    assert (random.random(), np.random.random()) == expected  # noqa: NPY002
    with seeded(3):
        assert np.array_equal(first, keras.random.normal((4,)))
