"""The geometry of windows of any size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regimetry.encoder.convolutions import reach
from regimetry.encoder.pretraining.architecture import GROUPS, LARGEST, TOKENS, Geometry
from regimetry.encoder.pretraining.batches import SIZES


@given(st.integers(2, 5000))
def test_patches_fit_into_any_window(window_size):
    geometry = Geometry.of(window_size)
    assert 1 <= geometry.tokens <= TOKENS
    left_out = window_size - geometry.tokens * geometry.patch
    assert 0 <= left_out < geometry.patch
    middle, newest = geometry.asked
    assert 0 <= middle <= newest == geometry.tokens - 1


@given(st.integers(2, 5000))
def test_the_reach_is_that_of_the_bank(window_size):
    geometry = Geometry.of(window_size)
    if window_size <= LARGEST:
        assert geometry.reach == reach(window_size)
    assert geometry.reach <= max(8, window_size)
    assert len(geometry.dilations) <= len(GROUPS)
    scale = max(1, geometry.dilations[1])
    assert geometry.dilations == tuple(scale * d for d in GROUPS[: len(geometry.dilations)])


@pytest.mark.parametrize(
    ("window_size", "patch", "dilations"),
    [
        (2, 1, (0, 1)),
        (16, 1, (0, 1)),
        (17, 1, (0, 1, 2)),
        (45, 3, (0, 1, 2, 4)),
        (160, 8, (0, 1, 2, 4, 8, 16)),
        (161, 9, (0, 2, 4, 8, 16)),
        (320, 16, (0, 2, 4, 8, 16, 32)),
    ],
)
def test_geometry_of_some_sizes(window_size, patch, dilations):
    geometry = Geometry.of(window_size)
    assert (geometry.patch, geometry.dilations) == (patch, dilations)


def test_the_pretraining_uses_every_group():
    used = {len(Geometry.of(size).dilations) for size in SIZES}
    assert max(used) == len(GROUPS)
