from typing import get_args

import pytest

from regimetry.encoder import EncoderConfig, registry
from regimetry.encoder.config import EncodingMethod
from regimetry.errors import ConfigError

DEFAULTS = {
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
    "convolutions": None,
}

AT_LEAST_1 = "it must be an integer of at least 1."
NONE_OR_1 = "it must be None or an integer of at least 1."
TRUE_OR_FALSE = "it must be True or False."
ALLOWED = {
    "window_size": ([0, -3, 2.0, True, "30", None], AT_LEAST_1),
    "num_features": ([0, -1, 1.5, False, "4"], NONE_OR_1),
    "embedding_dim": ([0, -1, 64.0, True, "64"], NONE_OR_1),
    "encoding_method": (
        ["rotary", None, 1, "Sinusoidal"],
        f"it must be one of {', '.join(map(repr, get_args(EncodingMethod)))}.",
    ),
    "encoding_style": (["mixed", None], "it must be one of 'interleaved', 'stacked'."),
    "head_size": ([0, 8.0, None], AT_LEAST_1),
    "num_heads": ([0, -1, True, 2.0], AT_LEAST_1),
    "ff_dim": ([0, "128", None], AT_LEAST_1),
    "num_transformer_blocks": ([-1, 1.0, None, True], "it must be an integer of at least 0."),
    "dropout": (
        [1.0, 1, -0.1, float("nan"), float("inf"), "0.1", None, True],
        "it must be a number in [0, 1).",
    ),
    "pooling": (
        ["median", None, ["mean"]],
        f"it must be one of {', '.join(map(repr, registry.POOLINGS))}.",
    ),
    "padding_mask": (["yes", 1, None], TRUE_OR_FALSE),
    "look_ahead_mask": (["causal", 0, None], TRUE_OR_FALSE),
    "convolutions": (
        ["both", True, 3],
        "it must be None or one of 'beside', 'alone', 'auto'.",
    ),
}


def test_defaults_are_the_documented_ones():
    assert EncoderConfig().to_dict() == DEFAULTS


def test_every_field_is_checked():
    assert ALLOWED.keys() == DEFAULTS.keys()


@pytest.mark.parametrize(
    ("field", "value", "allowed"),
    [(field, value, allowed) for field, (values, allowed) in ALLOWED.items() for value in values],
)
def test_a_bad_field_is_named_with_its_value_and_what_is_allowed(field, value, allowed):
    with pytest.raises(ConfigError) as caught:
        EncoderConfig(**{field: value})
    assert str(caught.value).startswith(f"{field} is {value!r}; {allowed}")


@pytest.mark.parametrize(
    ("field", "value"),
    [("window_size", 1), ("num_features", 1), ("embedding_dim", 1), ("embedding_dim", None),
     ("head_size", 1), ("num_heads", 1), ("ff_dim", 1), ("num_transformer_blocks", 0),
     ("dropout", 0), ("dropout", 0.999)],
)  # fmt: skip
def test_the_ends_of_what_is_allowed_are_taken(field, value):
    assert EncoderConfig(**{field: value}).to_dict() == {**DEFAULTS, field: value}
