"""The file of a pretraining that is not at its end."""

import numpy as np
import pytest
from networks import random_weights

from regimetry.encoder.pretraining.checkpoint import CHECKPOINT, Checkpoint
from regimetry.errors import ConfigError


@pytest.fixture
def state():
    optimizer = {"0": np.float32(7), "1": np.ones((2, 3), np.float32)}
    return Checkpoint(
        5, ("jumps", "tails"), random_weights(1), random_weights(2), optimizer, 3, 12, 48, 6.5
    )


def test_what_is_written_is_read(state, tmp_path):
    state.write(tmp_path)
    found = Checkpoint.read(tmp_path)
    for name, value in vars(state).items():
        if not isinstance(value, dict):
            assert getattr(found, name) == value, name
            continue
        assert getattr(found, name).keys() == value.keys()
        for key, array in value.items():
            np.testing.assert_array_equal(getattr(found, name)[key], array)
    assert [path.name for path in tmp_path.iterdir()] == [CHECKPOINT]


def test_a_beginning_has_its_aspects_in_one_order(tmp_path):
    Checkpoint.begin(3, {"tails", "garch"}).write(tmp_path)
    found = Checkpoint.read(tmp_path)
    assert (found.seed, found.without, found.optimizer) == (3, ("garch", "tails"), {})


@pytest.mark.parametrize("spoil", [lambda b: b[: len(b) // 2], lambda b: b"", lambda b: b"no"])
def test_a_damaged_file_is_refused(state, tmp_path, spoil):
    state.write(tmp_path)
    path = tmp_path / CHECKPOINT
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(ConfigError, match="is no checkpoint of a pretraining"):
        Checkpoint.read(tmp_path)


def test_a_file_of_something_else_is_refused(state, tmp_path):
    np.savez(tmp_path / CHECKPOINT, values=np.ones(3))
    with pytest.raises(ConfigError, match="is no checkpoint of a pretraining"):
        Checkpoint.read(tmp_path)
    for part in ("weights", "average"):
        state.write(tmp_path)
        kept = getattr(state, part)
        kept["out"] = kept["out"][:, 1:]
        state.write(tmp_path)
        with pytest.raises(ConfigError, match="of another shape"):
            Checkpoint.read(tmp_path)
        kept["out"] = random_weights()["out"]


def test_a_file_without_its_optimizer_is_refused(state, tmp_path):
    state.optimizer = {}
    state.write(tmp_path)
    with pytest.raises(ConfigError, match="has 12 steps and 0 arrays of the optimizer"):
        Checkpoint.read(tmp_path)


def test_another_seed_or_other_aspects_are_refused(state):
    state.require(None, None)
    state.require(5, ["tails", "jumps"])
    with pytest.raises(ConfigError, match="seed is 0; the checkpoint was begun with 5"):
        state.require(0, None)
    with pytest.raises(ConfigError, match=r"without is tails; .* begun with jumps, tails"):
        state.require(None, ["tails"])
    with pytest.raises(ConfigError, match="without is no aspect"):
        state.require(5, [])
