import itertools

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from layouts import SMALL, matrices
from refusals import refused

from regimetry._core import follow, jump_labels
from regimetry.runtime.recursion import Recursion, State, jump_path

# Quarters: every sum is exact, so labels have to agree even on ties. Widths on both sides of 8,
# where the extension stops having a loop for each.
DISTANCES = matrices(rows=(0, 30), cols=(1, 10), elements=SMALL)
PENALTIES = st.integers(0, 20).map(lambda x: x / 4) | st.just(np.inf)


@st.composite
def panels(draw):
    """Draw distances of several series, some of them empty, and a state for each."""
    distance = draw(DISTANCES)
    n, k = distance.shape
    inner = sorted(draw(st.lists(st.integers(0, n), max_size=5)))
    offsets = np.array([0, *inner, n], dtype=np.int64)
    states = np.array(
        draw(st.lists(SMALL, min_size=k * (len(offsets) - 1), max_size=k * (len(offsets) - 1)))
    ).reshape(-1, k)
    return distance, offsets, states if draw(st.booleans()) else None


def forward(distance, penalty, costs=None, offsets=None):
    """Labels and values alone."""
    labels, _, _, values, _ = follow(distance, None, penalty, 1.0, 1.0, 0.0, costs, None, offsets)
    return labels, values


@settings(deadline=None)
@given(distance=DISTANCES, penalty=PENALTIES, data=st.data())
def test_one_series_is_the_twin_and_restarts(distance, penalty, data):
    labels, values = forward(distance, penalty)
    expected_labels, expected_values = oracles.jump_forward(distance, penalty)
    np.testing.assert_array_equal(labels, expected_labels)
    np.testing.assert_array_equal(jump_labels(distance, penalty), expected_labels)
    np.testing.assert_array_equal(values, expected_values)
    np.testing.assert_array_equal(
        jump_path(distance, penalty), oracles.jump_path(distance, penalty)
    )
    if len(distance):
        cut = data.draw(st.integers(1, len(distance)))
        rest, end = forward(distance[cut:], penalty, values[cut - 1 : cut])
        np.testing.assert_array_equal(rest, labels[cut:])
        np.testing.assert_array_equal(end, values[cut:])


@settings(deadline=None)
@given(panel=panels(), penalty=PENALTIES)
def test_many_series_at_once_are_as_many_calls(panel, penalty):
    distance, offsets, states = panel
    labels, values = forward(distance, penalty, states, offsets)
    path = jump_path(distance, penalty, offsets)
    for number, part in enumerate(oracles.series_of(offsets)):
        state = None if states is None else states[number]
        expected_labels, expected_values = oracles.jump_forward(distance[part], penalty, state)
        np.testing.assert_array_equal(labels[part], expected_labels)
        np.testing.assert_array_equal(values[part], expected_values)
        np.testing.assert_array_equal(path[part], oracles.jump_path(distance[part], penalty))


@settings(deadline=None)
@given(
    panel=panels(),
    penalty=PENALTIES,
    sharpness=st.floats(0, 50),
    memory=st.floats(0, 1),
    threshold=st.floats(-1, 1),
    data=st.data(),
)
def test_any_cut_into_chunks_is_the_slow_twin(panel, penalty, sharpness, memory, threshold, data):
    distance, offsets, _ = panel
    novelty = np.random.default_rng(len(distance)).standard_normal(len(distance))
    recursion = Recursion(penalty, sharpness, memory, threshold)
    whole, ends = recursion(distance, novelty, offsets=offsets)
    np.testing.assert_array_equal(recursion.labels(distance, offsets), whole.regime)
    state = State.begin(len(offsets) - 1, distance.shape[1])
    series = oracles.series_of(offsets)
    cuts = [0.0, *sorted(data.draw(st.lists(st.floats(0, 1), max_size=4))), 1.0]
    for a, b in itertools.pairwise(cuts):  # each series is cut at the same share of its rows
        bounds = [[s.start + int(c * (s.stop - s.start)) for c in (a, b)] for s in series]
        rows = np.concatenate([np.arange(*bound) for bound in bounds]).astype(int)
        lengths = np.cumsum([0, *(end - first for first, end in bounds)])
        labels, states = recursion(distance[rows], novelty[rows], state, lengths)
        state = state.after(states, lengths)
        for row, *values in zip(rows, *labels, strict=True):
            for expected, value in zip(whole, values, strict=True):
                np.testing.assert_array_equal(value, expected[row])  # bit for bit
    for number, part in enumerate(series):
        twin = oracles.follow(distance[part], novelty[part], penalty, sharpness, memory)
        np.testing.assert_array_equal(whole.regime[part], twin[0])
        np.testing.assert_allclose(whole.probability[part], twin[1], rtol=1e-12, atol=1e-300)
        np.testing.assert_allclose(ends.means[part], twin[2], rtol=1e-12)
        np.testing.assert_array_equal(whole.novel[part], ends.means[part] > threshold)
        if part.stop > part.start:
            np.testing.assert_array_equal(state.costs[number], ends.costs[part.stop - 1])
            assert state.means[number] == ends.means[part.stop - 1]
        else:
            assert np.isnan(state.means[number])
            assert not state.costs[number].any()


def test_without_novelty_no_row_is_novel():
    labels, states = Recursion(1.0, threshold=-1.0)(D)
    assert labels.novelty is None
    assert not labels.novel.any()
    assert np.isnan(states.means).all()
    with refused("novelty has shape (4,); expected (5,)"):
        Recursion(1.0)(D, np.zeros(4))
    with refused("means has shape (2,); expected (1,)"):
        Recursion(1.0)(D, np.zeros(5), State(np.zeros((1, 2)), np.zeros(2)))


@settings(deadline=None)
@given(
    distance=matrices(rows=(1, 30), cols=(1, 9), elements=st.floats(0, 2, width=32)),
    penalty=st.floats(0, 5),
)
def test_any_numbers_are_the_twins_within_rounding(distance, penalty):
    _, values = forward(distance, penalty)
    np.testing.assert_allclose(
        values, oracles.jump_forward(distance, penalty)[1], rtol=0, atol=1e-12
    )


def test_the_comparison_with_the_twin_can_fail():
    distance = np.random.default_rng(0).random((50, 3))
    _, values = oracles.jump_forward(distance, 0.5)
    spoilt = distance.copy()
    spoilt[20, 1] += 1e-9
    with pytest.raises(AssertionError):
        np.testing.assert_allclose(forward(spoilt, 0.5)[1], values, rtol=0, atol=1e-12)


@settings(deadline=None)
@given(
    distance=matrices(rows=(1, 6), cols=(1, 3), elements=st.floats(0, 2, width=32)),
    penalty=st.floats(0, 3),
)
def test_the_path_is_the_cheapest_of_all(distance, penalty):
    n, k = distance.shape
    exact = distance.astype(float)
    best = min(
        oracles.path_cost(exact, np.array(labels), penalty)
        for labels in itertools.product(range(k), repeat=n)
    )
    path = jump_path(distance, penalty)
    assert oracles.path_cost(exact, path, penalty) == pytest.approx(best, rel=0, abs=1e-9)


def test_a_price_keeps_a_lone_outlier_from_switching():
    distance = np.tile([0.2, 0.8], (9, 1))
    distance[4] = [0.8, 0.2]
    assert jump_path(distance, 1.0).tolist() == [0] * 9
    assert jump_path(distance, 0.0).tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("k", [1, 2, 5, 12])
@pytest.mark.parametrize("function", [forward, jump_labels, jump_path])
def test_a_bad_distance_names_its_row_as_the_caller_counts_it(function, k, bad):
    distance = np.zeros((5, k))
    distance[3, k - 1] = bad
    offsets = np.array([0, 2, 5])
    for arguments in ({}, {"offsets": offsets}):
        with refused(f"distance row 3 holds {bad} in column {k - 1}"):
            function(distance, 1.0, **arguments)


def test_large_finite_distances_are_no_error():
    distance = np.array([[1e308, -1e308, 0.0], [1e308, 1e308, 1e308], [0.0, 1.0, 2.0]])
    with np.errstate(over="ignore"):  # costs overflow, and are larger than all others
        expected, _ = oracles.jump_forward(distance, 1.0)
    assert forward(distance, 1.0)[0].tolist() == expected.tolist() == [1, 0, 0]


D = np.zeros((5, 2))


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"distance": [[0.0]]}, "distance is a list"),
        ({"distance": D[0]}, "distance has 1 dimension(s)"),
        ({"distance": D[:, :0]}, "at least one column"),
        ({"distance": D.astype(int)}, "distance has dtype int64"),
        ({"distance": D.astype(object)}, "distance has dtype object"),
        ({"distance": D.astype(">f8")}, "foreign byte order"),
        ({"penalty": -1.0}, "penalty is -1"),
        ({"penalty": np.nan}, "penalty is nan"),
        ({"penalty": "1"}, "penalty is a str"),
        ({"offsets": [0, 5]}, "offsets is a list"),
        ({"offsets": np.array([0, 4])}, "offsets run from 0 to 4; expected 0 to 5"),
        ({"offsets": np.array([1, 5])}, "offsets run from 1 to 5"),
        ({"offsets": np.array([], dtype=np.int64)}, "offsets run from 0 to 0"),
        ({"offsets": np.array([0, 3, 2, 5])}, "offsets fall from 3 to 2 at position 2"),
        ({"offsets": np.array([0, -(2**63), 5])}, "offsets fall"),
        ({"offsets": np.array([0, 5], dtype=np.int32)}, "offsets has dtype int32"),
    ],
)
@pytest.mark.parametrize("function", [forward, jump_labels, jump_path])
def test_bad_input_is_refused(function, arguments, part):
    with refused(part):
        function(**{"distance": D, "penalty": 1.0, **arguments})


@pytest.mark.parametrize(
    ("costs", "offsets", "part"),
    [
        (np.zeros((1, 3)), None, "costs have shape (1, 3); expected (1, 2)"),
        (np.zeros(2), None, "costs has 1 dimension(s)"),
        (np.zeros((1, 2), dtype=np.float32), None, "costs has dtype float32"),
        (np.array([[0.0, np.nan]]), None, "costs hold nan for regime 1"),
        ([[0.0, 0.0]], None, "costs is a list"),
        (np.zeros((2, 2)), np.array([0, 5]), "costs have shape (2, 2); expected (1, 2)"),
    ],
)
def test_a_state_of_another_series_is_refused(costs, offsets, part):
    with refused(part):
        forward(D, 1.0, costs, offsets)
