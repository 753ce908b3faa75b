"""Recursions without a loop over rows against loops over rows."""

import numpy as np
import pytest

from regimetry.encoder.pretraining.prior.clustering import conditional_variance
from regimetry.encoder.pretraining.prior.dynamics import autoregress, vector_autoregress
from regimetry.encoder.pretraining.prior.following import follow
from regimetry.encoder.pretraining.prior.path import Path
from regimetry.encoder.pretraining.prior.recursions import (
    first_order,
    second_order,
    vector_first_order,
)

T, F, K = 300, 3, 4


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.fixture
def path(generator):
    return Path(np.repeat(generator.integers(0, K, 30), 10), K)


def second_order_slowly(first, second, addend):
    values = np.zeros((len(addend) + 2, addend.shape[1]))
    for t, row in enumerate(addend):
        values[t + 2] = first[t] * values[t + 1] + second[t] * values[t] + row
    return values[2:]


def test_first_and_second_order(generator):
    first, second = generator.uniform(-0.9, 0.9, (2, T, F))
    second *= 0.1
    addend = generator.standard_normal((T, F))
    slow = second_order_slowly(first, second, addend)
    np.testing.assert_allclose(second_order(first, second, addend), slow, rtol=1e-10, atol=1e-12)
    slow = second_order_slowly(first, 0.0 * second, addend)
    np.testing.assert_allclose(first_order(first, addend), slow, rtol=1e-10, atol=1e-12)
    assert np.abs(second_order(first, second, addend) - slow).max() > 0.1


def vector_slowly(matrices, which, addend):
    values = addend.copy()
    for t in range(1, len(values)):
        values[t] += matrices[which[t]] @ values[t - 1]
    return values


def test_vector(generator, path):
    matrices = generator.uniform(-0.4, 0.4, (K, F, F))
    addend = generator.standard_normal((T, F))
    fast = vector_first_order(matrices, path.states, addend)
    np.testing.assert_allclose(fast, vector_slowly(matrices, path.states, addend), atol=1e-12)
    turned = vector_slowly(matrices.transpose(0, 2, 1), path.states, addend)
    assert np.abs(fast - turned).max() > 0.1


def test_garch_with_the_coefficients_of_each_state(generator, path):
    arch = generator.uniform(0.04, 0.3, K)[path.states]
    persistence = generator.uniform(0.4, 0.6, K)[path.states]
    noise = generator.standard_normal((T, F))
    variance, h = np.empty((T, F)), np.ones(F)
    for t in range(T):
        if t:
            x = np.sqrt(h) * noise[t - 1]
            h = 1.0 - arch[t] - persistence[t] + arch[t] * x**2 + persistence[t] * h
        variance[t] = h
    fast = conditional_variance(noise, arch, persistence)
    np.testing.assert_allclose(fast, variance, rtol=1e-10)
    assert np.abs(fast / conditional_variance(noise, arch[::-1], persistence) - 1.0).max() > 0.01


@pytest.mark.parametrize("goes_on", [False, True])
def test_autoregression_with_the_coefficients_of_each_state(generator, path, goes_on):
    first, second = np.array([[0.5], [0.0], [-0.6], [1.2]]), np.array([[0.0], [0.0], [0.1], [-0.5]])
    first, second = first * np.ones(F), second * np.ones(F)
    noise = generator.standard_normal((T, F))
    values = np.zeros((T, F))
    age = 0
    for t, state in enumerate(path.states):
        fresh = t == 0 or (state != path.states[t - 1] and not goes_on)
        age = 0 if fresh else age + 1
        p, q = first[state], second[state]
        scale = np.sqrt((1 + q) * ((1 - q) ** 2 - p**2) / (1 - q))
        values[t] = noise[t] if fresh else scale * noise[t] + p * values[t - 1]
        if age > 1:
            values[t] += q * values[t - 2]
    fast = autoregress(noise, first, second, path, goes_on)
    np.testing.assert_allclose(fast, values, atol=1e-11)
    assert np.abs(fast - autoregress(noise, first, second, path, not goes_on)).max() > 0.1


@pytest.mark.parametrize("goes_on", [False, True])
def test_vector_autoregression_has_variance_1(generator, goes_on):
    path = Path(np.repeat(np.arange(2), 20_000), 2)
    matrices = np.array([[[0.6, 0.3], [0.0, 0.5]], [[-0.4, 0.0], [0.8, 0.2]]])
    noise = generator.standard_normal((40_000, 2))
    values = vector_autoregress(noise, matrices, np.eye(2)[None], path, goes_on)
    for state, rows in enumerate(path.rows):
        inside = values[rows]
        np.testing.assert_allclose(inside.std(axis=0), 1.0, atol=0.05)
        now, before = inside[1:], inside[:-1]
        found = np.linalg.lstsq(before, now, rcond=None)[0].T
        # Channels were scaled to variance 1: the diagonal does not change, zeros stay zeros.
        np.testing.assert_allclose(np.diag(found), np.diag(matrices[state]), atol=0.04)
        np.testing.assert_allclose(found[matrices[state] == 0.0], 0.0, atol=0.04)


def test_following_a_target():
    target = np.repeat([1.0, 3.0], 5)
    values = follow(target, 0.5)
    assert values[:5].tolist() == [1.0] * 5
    assert values[5:7].tolist() == [2.0, 2.5]
