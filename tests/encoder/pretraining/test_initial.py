"""Weights with which a pretraining begins."""

import numpy as np

from regimetry.encoder.convolutions import SHAPES
from regimetry.encoder.pretraining.architecture import GROUPS, SHARES, SLOTS, TOKEN, TOKENS
from regimetry.encoder.pretraining.initial import initial_weights


def test_a_seed_gives_its_weights():
    first, again, other = (initial_weights(seed) for seed in (3, 3, 4))
    assert first.keys() == again.keys() == other.keys()
    for name, array in first.items():
        assert array.dtype == np.float32, name
        np.testing.assert_array_equal(array, again[name])
    assert not np.array_equal(first["gate"], other["gate"])
    assert not np.array_equal(first["stem_1_taps"], other["stem_1_taps"])


def test_kernels_have_the_shapes_of_the_bank_in_every_slot():
    weights = initial_weights(0)
    for group in range(1, len(GROUPS)):
        taps = weights[f"stem_{group}_taps"]
        np.testing.assert_array_equal(taps, np.repeat(taps[:, :1], SLOTS, axis=1))
        found = {tuple(shape) for shape in taps[:, 0].tolist()}
        assert len(found) == len(taps)
        assert found <= {tuple(shape) for shape in SHAPES.tolist()}
    assert (weights["stem_0_taps"] == 1.0).all()


def test_shapes():
    weights = initial_weights(0)
    assert sum(array.size for array in weights.values()) == 183_380  # as docs/pretraining.md says
    for group in range(len(GROUPS)):
        assert weights[f"stem_{group}_gain"].size == weights[f"stem_{group}_offset"].size == SHARES
    assert weights["gate"].shape == (len(GROUPS), SHARES, 3 * TOKEN)
    relative = weights["block_0_relative"]
    assert relative.shape[1] == 2 * TOKENS - 1
    np.testing.assert_array_equal(relative, relative[:, ::-1])  # the past as the future
    assert (relative.argmax(axis=1)[1:] == TOKENS - 1).all()  # the nearest counts most
