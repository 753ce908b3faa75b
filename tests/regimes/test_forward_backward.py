"""Forward-backward in blocks against a loop over bars, and against hmmlearn."""

import numpy as np
import pytest
from hmmlearn.hmm import GaussianHMM
from hypothesis import given, settings
from hypothesis import strategies as st

from regimetry.regimes.evidence import forward_backward as module
from regimetry.runtime.chain import transition


def forward_backward(costs, stay):
    return module.forward_backward(costs, stay, np.arange(len(costs)) == 0)


def slow(costs, stay):
    """Return posterior (T, K), log-likelihood and expected stays, one bar at a time."""
    n_rows, n_states = costs.shape
    matrix, likelihood = transition(n_states, stay), np.exp(-costs)
    forward, backward = np.empty_like(costs), np.ones_like(costs)
    state, total = np.full(n_states, 1 / n_states), 0.0
    for row in range(n_rows):
        state = (state @ matrix if row else state) * likelihood[row]
        total += np.log(state.sum())
        state = forward[row] = state / state.sum()
    for row in range(n_rows - 2, -1, -1):
        ahead = matrix @ (likelihood[row + 1] * backward[row + 1])
        backward[row] = ahead / ahead.sum()
    joint = forward * backward
    stays = 0.0
    for row in range(n_rows - 1):
        pair = forward[row][:, None] * matrix * (likelihood[row + 1] * backward[row + 1])
        stays += np.trace(pair) / pair.sum()
    return joint / joint.sum(axis=1, keepdims=True), total, stays


@settings(max_examples=60, deadline=None)
@given(
    n_rows=st.integers(1, 200),
    n_states=st.integers(1, 5),
    stay=st.floats(0.5, 0.999),
    spread=st.floats(0, 20),
    seed=st.integers(0, 99),
)
def test_blocks_equal_the_loop(n_rows, n_states, stay, spread, seed):
    costs = spread * np.random.default_rng(seed).standard_normal((n_rows, n_states))
    state, log_likelihood, stays = slow(costs, stay)
    found = forward_backward(costs, stay)
    np.testing.assert_allclose(found.state, state, atol=1e-9)
    assert found.log_likelihood == pytest.approx(log_likelihood, abs=1e-7)
    assert found.stays == pytest.approx(stays, abs=1e-7)


def test_it_is_that_of_hmmlearn():
    generator = np.random.default_rng(0)
    values = generator.standard_normal((500, 1)) + 2 * (np.arange(500) // 100 % 2)[:, None]
    model = GaussianHMM(2, "full", init_params="")
    model.startprob_, model.transmat_ = np.full(2, 0.5), transition(2, 0.97)
    model.means_, model.covars_ = np.array([[0.0], [2.0]]), np.ones((2, 1, 1))
    costs = 0.5 * (values - model.means_.T) ** 2 + 0.5 * np.log(2 * np.pi)
    total, state = model.score_samples(values)
    found = forward_backward(costs, 0.97)
    np.testing.assert_allclose(found.state, state, atol=1e-9)
    assert found.log_likelihood == pytest.approx(total)
    assert forward_backward(costs, 0.9).log_likelihood != pytest.approx(total)


def test_the_filter_knows_no_later_bar():
    generator = np.random.default_rng(1)
    likelihood = generator.uniform(0.1, 1, (300, 3))
    whole = module.filtered(likelihood, 0.9, np.zeros(300, bool))
    for cut in (1, 2, 57, 299):
        found = module.filtered(likelihood[:cut], 0.9, np.zeros(cut, bool))
        np.testing.assert_allclose(found, whole[:cut], atol=1e-12)


def test_costs_beyond_what_a_float_can_hold_are_no_trouble():
    costs = np.array([[0.0, 1e5], [0.0, 1e5], [1e5, 0.0], [1e5, 0.0]])
    found = forward_backward(costs, 0.99)
    np.testing.assert_array_equal(found.state.argmax(axis=1), [0, 0, 1, 1])
    assert np.isfinite(found.log_likelihood)
