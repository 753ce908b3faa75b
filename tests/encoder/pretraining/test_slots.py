"""Which channels kernels read."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from regimetry.encoder.pretraining.architecture import GROUPS, SLOTS, kernels_of
from regimetry.encoder.pretraining.slots import draw_slots


@given(st.integers(1, 40), st.integers(0, 1000))
def test_a_kernel_reads_up_to_four_different_channels(n_features, seed):
    slots = draw_slots(n_features, np.random.default_rng(seed))
    assert len(slots) == len(GROUPS)
    for group, drawn in enumerate(slots):
        count = kernels_of(group)
        assert drawn.shape == (count, SLOTS, n_features)
        assert drawn.dtype == np.float32
        assert set(np.unique(drawn)) <= {-1.0, 0.0, 1.0}
        read = np.abs(drawn)
        assert (read.sum(axis=1) <= 1).all()  # no channel twice
        expected = np.minimum(1 + np.arange(count) % SLOTS, n_features)
        np.testing.assert_array_equal(read.sum(axis=(1, 2)), expected)
        filled = read.sum(axis=2)
        assert (np.diff(filled, axis=1) <= 0).all()  # the last ones stay empty


def test_the_same_seed_draws_the_same_and_another_does_not():
    first, again, other = (draw_slots(9, np.random.default_rng(seed)) for seed in (1, 1, 2))
    for a, b, c in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(a, b)
        assert not np.array_equal(a, c)


def test_both_signs_and_every_channel_occur():
    for drawn in draw_slots(24, np.random.default_rng(0))[1:]:
        assert (np.abs(drawn).sum(axis=(0, 1)) > 0).sum() >= 20
        assert 0.3 < (drawn > 0).sum() / np.abs(drawn).sum() < 0.7
