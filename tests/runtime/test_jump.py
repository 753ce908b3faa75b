import itertools

import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from regimetry.runtime.jump import jump_forward, jump_labels, jump_path

DISTANCES = hnp.arrays(
    np.float64,
    st.tuples(st.integers(1, 30), st.integers(1, 5)),
    elements=st.floats(0, 2, width=32),
)


@given(distance=DISTANCES, penalty=st.floats(0, 5), cut=st.integers(0, 30))
def test_the_forward_pass_is_the_twin_and_restarts(distance, penalty, cut):
    labels, values = jump_forward(distance, penalty)
    expected, expected_values = oracles.jump_forward(distance, penalty)
    np.testing.assert_allclose(values, expected_values, atol=1e-12)
    close = np.sort(expected_values, axis=1)[:, :2]
    clear = close[:, -1] > 1e-9 if close.shape[1] == 2 else np.ones(len(labels), dtype=bool)
    np.testing.assert_array_equal(labels[clear], expected[clear])
    cut = min(cut, len(distance))
    if 0 < cut < len(distance):
        head, state = jump_forward(distance[:cut], penalty)
        tail, _ = jump_forward(distance[cut:], penalty, state[-1])
        np.testing.assert_array_equal(np.concatenate([head, tail]), labels)
    only, last = jump_labels(distance, penalty)
    np.testing.assert_array_equal(only, labels)
    np.testing.assert_array_equal(last, values[-1])


@given(
    distance=hnp.arrays(
        np.float64, st.tuples(st.integers(1, 6), st.integers(1, 3)), elements=st.floats(0, 2)
    ),
    penalty=st.floats(0, 3),
)
def test_the_path_is_the_cheapest_of_all(distance, penalty):
    n, k = distance.shape
    best = min(
        oracles.path_cost(distance, np.array(labels), penalty)
        for labels in itertools.product(range(k), repeat=n)
    )
    path = jump_path(distance, penalty)
    assert oracles.path_cost(distance, path, penalty) == pytest.approx(best, abs=1e-9)


def test_a_price_keeps_a_lone_outlier_from_switching():
    distance = np.tile([0.2, 0.8], (9, 1))
    distance[4] = [0.8, 0.2]
    assert jump_path(distance, 1.0).tolist() == [0] * 9
    assert jump_path(distance, 0.0).tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_distance_names_its_row(bad):
    distance = np.zeros((5, 2))
    distance[3, 1] = bad
    for function in (jump_forward, jump_labels, jump_path):
        with pytest.raises(ValueError, match="row 3"):
            function(distance, 1.0)
    with pytest.raises(ValueError, match="penalty"):
        jump_forward(np.zeros((5, 2)), -1.0)
