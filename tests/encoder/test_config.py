import pytest

from regimetry.encoder import EncoderConfig
from regimetry.errors import ConfigError


def test_defaults_are_the_documented_ones():
    assert EncoderConfig().to_dict() == {
        "window_size": 30,
        "num_features": None,
        "embedding_dim": None,
        "encoding_method": "sinusoidal",
        "encoding_style": "interleaved",
        "head_size": 256,
        "num_heads": 4,
        "ff_dim": 128,
        "num_transformer_blocks": 2,
        "dropout": 0.1,
        "pooling": "mean",
        "padding_mask": False,
        "look_ahead_mask": False,
    }


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("window_size", 0),
        ("window_size", 2.0),
        ("num_features", 0),
        ("embedding_dim", -1),
        ("num_heads", True),
        ("num_transformer_blocks", -1),
        ("dropout", 1.0),
        ("dropout", float("nan")),
        ("encoding_method", "rotary"),
        ("encoding_style", "mixed"),
        ("pooling", "median"),
        ("padding_mask", "yes"),
    ],
)
def test_a_bad_field_is_named_with_its_value(field, value):
    with pytest.raises(ConfigError, match=field) as caught:
        EncoderConfig(**{field: value})
    assert repr(value) in str(caught.value)


def test_sizes_follow_projection_and_pooling():
    assert EncoderConfig(num_features=5).output_dim == 5
    assert EncoderConfig(num_features=5, embedding_dim=8).output_dim == 8
    assert EncoderConfig(num_features=5, pooling="moments").output_dim == 15
    with pytest.raises(ConfigError, match="num_features"):
        _ = EncoderConfig().token_dim
