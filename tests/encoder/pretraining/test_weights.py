"""The file of pretrained weights."""

import json

import numpy as np
import pytest
from networks import random_weights

from regimetry.encoder.pretraining.weights import FORMAT, read_weights, sum_of, write_weights
from regimetry.errors import ConfigError

CARD = {"seed": 0, "without": [], "series": 16, "hours": 0.5, "entropy": 1.0, "right": 0.5}


@pytest.fixture
def path(tmp_path):
    write_weights(tmp_path / "w.npz", random_weights(), CARD)
    return tmp_path / "w.npz"


def rewritten(path, **changes):
    """The same file with some of its arrays changed."""
    with np.load(path) as file:
        parts = {name: file[name] for name in file.files}
    np.savez(path, **{**parts, **changes})


def test_what_is_written_is_read(path):
    found = read_weights(path)
    assert found.card == CARD
    assert found.sum == sum_of(random_weights())
    assert found.arrays.keys() == random_weights().keys()
    for name, array in random_weights().items():
        np.testing.assert_array_equal(found.arrays[name], array)


def test_the_sum_depends_on_every_name_and_value():
    weights = random_weights()
    assert sum_of(weights) == sum_of(dict(reversed(weights.items())))
    sums = {sum_of(weights)}
    for name in weights:
        changed = {**weights, name: weights[name].copy()}
        changed[name].flat[-1] += np.float32(1e-3)
        sums.add(sum_of(changed))
    first, second = "block_0_attention_norm", "block_1_attention_norm"
    sums.add(sum_of({**weights, first: weights[second], second: weights[first]}))
    assert len(sums) == len(weights) + 2


def test_a_changed_value_is_found(path):
    rewritten(path, **{"weights/out": random_weights(1)["out"]})
    with pytest.raises(ConfigError, match="was changed after it was written"):
        read_weights(path)


def test_other_formats_and_shapes_are_refused(path):
    rewritten(path, format=FORMAT + 1)
    with pytest.raises(ConfigError, match=f"format {FORMAT + 1}; this release reads"):
        read_weights(path)
    out = random_weights()["out"]
    for other in (out[:, 1:], out.astype(np.float64)):
        rewritten(path, format=FORMAT, **{"weights/out": other})
        with pytest.raises(ConfigError, match="another shape"):
            read_weights(path)


def test_a_file_without_a_card_or_numbers_is_refused(path):
    rewritten(path, card="{}")
    with pytest.raises(ConfigError, match="no card, or weights that are no numbers"):
        read_weights(path)
    write_weights(path, random_weights() | {"gate": random_weights()["gate"] * np.nan}, CARD)
    with pytest.raises(ConfigError, match="no card, or weights that are no numbers"):
        read_weights(path)


@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"no"])
def test_a_damaged_file_is_refused(path, spoil):
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ConfigError, match="cannot be read as pretrained weights"):
        read_weights(path)


def test_files_of_something_else_are_refused(path, tmp_path):
    with pytest.raises(ConfigError, match="cannot be read as pretrained weights"):
        read_weights(tmp_path / "none.npz")
    rewritten(path, card="no JSON")
    with pytest.raises(ConfigError, match="cannot be read as pretrained weights"):
        read_weights(path)
    rewritten(path, card=json.dumps(CARD), more=np.ones(3))
    with pytest.raises(ConfigError, match="another shape"):
        read_weights(path)
