"""Matrices, their long run and forecasts: closed forms, brute force, and properties."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_rand_score

from regimetry.analysis import (
    adjusted_rand,
    agreement,
    entropy_rate,
    estimate_transitions,
    expected_dwell,
    forecast,
    hitting_times,
    long_run,
    stationary_distribution,
    transition_entropy,
)
from regimetry.analysis.assignment import best_matching
from regimetry.analysis.transitions import shrunk_matrix, wilson_interval
from regimetry.errors import ConfigError, DataError

A, B = 0.03, 0.08  # leaving rates of the chain of two
TWO = np.array([[1 - A, A], [B, 1 - B]])


@st.composite
def matrices(draw, largest=6):
    k = draw(st.integers(1, largest))
    weights = draw(hnp.arrays(float, (k, k), elements=st.sampled_from([0.0, 0.5, 1.0, 10.0])))
    weights[np.arange(k), np.arange(k)] += weights.sum(axis=1) == 0
    return weights / weights.sum(axis=1, keepdims=True)


def far_power(matrix):
    """The matrix of a lazy chain, without periods, to the power 2^40; rounding must not add up."""
    power = (matrix + np.eye(len(matrix))) / 2
    for _ in range(40):
        power = power @ power
        power /= power.sum(axis=1, keepdims=True)
    return power


def test_two_states_have_closed_forms_and_sticky_ones_their_digits():
    pi = np.array([B, A]) / (A + B)
    found = stationary_distribution(TWO)
    assert found.is_unique
    np.testing.assert_allclose(found.distributions[0], pi, rtol=1e-14)
    np.testing.assert_allclose(expected_dwell(TWO), [1 / A, 1 / B])
    np.testing.assert_allclose(hitting_times(TWO), [[0, 1 / A], [1 / B, 0]])
    rows = forecast(TWO, np.array([1.0, 0.0]), 30)
    h = np.arange(1, 31)
    np.testing.assert_allclose(rows[:, 0], pi[0] + pi[1] * (1 - A - B) ** h, rtol=1e-12)
    binary = [stats.entropy([p, 1 - p], base=2) for p in (A, B)]
    np.testing.assert_allclose(transition_entropy(TWO), binary)
    assert entropy_rate(TWO, pi) == pytest.approx(pi @ binary)
    matrix = np.array([[1 - 1e-13, 1e-13, 0], [0, 1 - 2e-13, 2e-13], [4e-13, 0, 1 - 4e-13]])
    expected = np.array([4, 2, 1]) / 7
    found = stationary_distribution(matrix).distributions[0]
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_reducible_chains_say_so():
    matrix = np.array(
        [[0.9, 0.1, 0, 0, 0], [0.2, 0.8, 0, 0, 0], [0, 0, 1, 0, 0],
         [0.1, 0, 0.3, 0.5, 0.1], [0, 0, 0, 1, 0]]
    )  # fmt: skip
    found = stationary_distribution(matrix)
    assert not found.is_unique
    assert found.closed.tolist() == [[True, True, False, False, False],
                                     [False, False, True, False, False]]  # fmt: skip
    assert found.transient.tolist() == [False, False, False, True, True]
    np.testing.assert_allclose(found.distributions[0], [2 / 3, 1 / 3, 0, 0, 0])
    # From regime 3, a quarter of what leaves for good goes to the first class.
    np.testing.assert_allclose(long_run(matrix, np.eye(5)[3]), [1 / 6, 1 / 12, 3 / 4, 0, 0])
    times = hitting_times(matrix)
    assert np.isinf(times[0, 2])
    assert np.isinf(times[3, 0])
    assert times[4, 3] == 1


@given(matrices())
def test_the_long_run_is_what_a_power_tends_to(matrix):
    k = len(matrix)
    power = far_power(matrix)
    for start in np.eye(k):
        np.testing.assert_allclose(long_run(matrix, start), start @ power, atol=1e-7)
    found = stationary_distribution(matrix)
    np.testing.assert_allclose(found.distributions @ matrix, found.distributions, atol=1e-12)
    np.testing.assert_allclose(found.distributions.sum(axis=1), 1)


@given(matrices(), st.integers(1, 9), st.integers(1, 9))
def test_forecasts_go_on_from_each_other(matrix, first, second):
    start = np.full(len(matrix), 1 / len(matrix))
    whole = forecast(matrix, start, first + second)
    np.testing.assert_allclose(whole[first:], forecast(matrix, whole[first - 1], second))
    np.testing.assert_allclose(whole.sum(axis=1), 1)
    np.testing.assert_allclose(whole[-1], start @ np.linalg.matrix_power(matrix, first + second))


@given(matrices(largest=5))
def test_hitting_times_solve_their_equations_or_are_infinite(matrix):
    times = hitting_times(matrix)
    k = len(matrix)
    for i, j in itertools.product(range(k), repeat=2):
        if i == j:
            assert times[i, j] == 0
            continue
        # Whether j comes for certain, by the probability of having come in a very long time.
        stopped = matrix.copy()
        stopped[j] = np.eye(k)[j]
        comes = far_power(stopped)[i, j]
        assert np.isfinite(times[i, j]) == (comes > 1 - 1e-6)
        if np.isfinite(times[i, j]):
            to = matrix[i] > 0
            assert times[i, j] == pytest.approx(1 + matrix[i, to] @ times[to, j], rel=1e-8)


@given(st.lists(st.integers(-1, 3), min_size=1, max_size=60), st.permutations(range(4)))
def test_estimates_are_distributions_and_follow_a_renaming(values, names):
    labels, names = np.array(values), np.array(names)
    renamed = np.where(labels >= 0, names[labels], -1)
    plain, other = estimate_transitions(labels, 4), estimate_transitions(renamed, 4)
    for matrix in (plain.empirical, plain.shrunk):
        np.testing.assert_allclose(matrix.sum(axis=1), 1)
    assert (plain.lower <= plain.upper).all()
    seen = plain.counts.sum(axis=1) > 0
    assert (plain.lower[seen] <= plain.empirical[seen] + 1e-12).all()
    assert (plain.empirical[seen] <= plain.upper[seen] + 1e-12).all()
    assert (plain.shrunk > 0).all()
    for field in ("counts", "empirical", "shrunk", "lower", "upper"):
        matrix = getattr(other, field)[np.ix_(names, names)]
        np.testing.assert_allclose(getattr(plain, field), matrix)


def test_shrinkage_by_hand():
    counts = np.array([[6, 2], [0, 0]])
    stay = (6 + 1) / (8 + 2)
    expected = [[(6 + 2 * stay) / 10, (2 + 2 * (1 - stay)) / 10], [1 - stay, stay]]
    np.testing.assert_allclose(shrunk_matrix(counts), expected)
    assert shrunk_matrix(np.array([[3]])).tolist() == [[1.0]]


@pytest.mark.parametrize(("hits", "trials"), [(0, 10), (10, 10), (3, 10), (1, 400), (397, 400)])
def test_intervals_are_scipys(hits, trials):
    interval = stats.binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    found = wilson_interval(np.array(hits), np.array(trials), 0.95)
    np.testing.assert_allclose(found, interval, atol=1e-12)
    assert wilson_interval(np.array(0), np.array(0), 0.95) == (0.0, 1.0)


def test_every_transition_has_its_interval():
    labels = np.random.default_rng(0).integers(0, 3, 60)
    found = estimate_transitions(labels, 3, level=0.9)
    for place, hits in np.ndenumerate(found.counts):
        trials = int(found.counts[place[0]].sum())
        interval = stats.binomtest(int(hits), trials).proportion_ci(0.9, method="wilson")
        np.testing.assert_allclose((found.lower[place], found.upper[place]), interval)
    assert not np.allclose(found.lower, estimate_transitions(labels, 3, level=0.95).lower)


def test_a_forecast_needs_a_horizon():
    with pytest.raises(ConfigError, match="horizon is 0"):
        forecast(TWO, np.array([1.0, 0.0]), 0)


@given(st.integers(1, 7), st.integers(1, 7), st.data())
def test_the_matching_is_the_best(k, n, data):
    gain = data.draw(hnp.arrays(int, (k, n), elements=st.integers(0, 9)))
    columns = best_matching(gain)
    rows = np.flatnonzero(columns >= 0)
    assert len(set(columns[rows])) == len(rows) == min(k, n)
    best = gain[linear_sum_assignment(-gain)].sum()
    assert gain[rows, columns[rows]].sum() == best


def test_agreement_of_forty_regimes_and_by_hand_with_another_k():
    generator = np.random.default_rng(0)
    labels, names = generator.integers(0, 40, 3000), generator.permutation(40)
    found = agreement(labels, names[labels], 40, 40)
    assert found.share == found.adjusted_rand == 1.0
    assert found.mapping[names].tolist() == list(range(40))
    old = np.array([-1, 0, 0, 0, 1, 1, 1, 0])
    new = np.array([0, 2, 2, 1, 0, 0, 1, -1])
    found = agreement(old, new, 2, 3)
    assert found.bars == 6
    assert found.mapping.tolist() == [1, -1, 0]
    assert found.share == pytest.approx(4 / 6)
    np.testing.assert_allclose(found.recall, [2 / 3, 2 / 3])
    expected = adjusted_rand_score(old[1:7], new[1:7])
    assert found.adjusted_rand == pytest.approx(expected)
    assert adjusted_rand(np.array([[5]])) == 1.0
    with pytest.raises(DataError, match="No bar is labelled by both"):
        agreement(np.array([0, -1]), np.array([-1, 0]), 1, 1)
