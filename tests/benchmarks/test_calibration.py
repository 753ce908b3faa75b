"""The calibration benchmark measures what it says, and can fail."""

import numpy as np
import pytest

from benchmarks.calibration import brier, join, matched, reliability


def drawn(n=40_000, seed=0):
    """Probabilities (T, 3) and states that follow them exactly."""
    generator = np.random.default_rng(seed)
    probability = generator.dirichlet([0.5, 0.5, 0.5], n)
    states = (generator.random(n)[:, None] > probability.cumsum(axis=1)).sum(axis=1)
    return probability, np.minimum(states, 2)


def test_brier_by_hand():
    probability = np.array([[1.0, 0.0], [0.5, 0.5], [0.0, 1.0]])
    assert brier(probability, np.array([0, 1, 0])) == pytest.approx((0 + 0.5 + 2) / 3)


def test_true_probabilities_are_calibrated_and_sharpened_ones_are_not():
    probability, states = drawn()
    true = reliability(probability, states)
    assert true.error < 0.02
    assert true.bars.sum() == len(states)
    sharper = probability**3 / (probability**3).sum(axis=1, keepdims=True)
    assert reliability(sharper, states).error > 0.05
    assert brier(sharper, states) > brier(probability, states)
    assert reliability(np.full((len(states), 3), 1 / 3), states).error < 0.02


def test_bins_by_hand_and_in_parts():
    probability = np.array([[0.95, 0.05], [0.93, 0.07], [0.45, 0.55], [1.0, 0.0]])
    found = reliability(probability, np.array([0, 1, 1, 0]))
    assert found.bars[[5, 9]].tolist() == [1, 3]
    assert found.confidence[9] == pytest.approx(0.96)
    assert found.accuracy[9] == pytest.approx(2 / 3)
    assert found.error == pytest.approx((0.45 + 3 * (0.96 - 2 / 3)) / 4)
    probability, states = drawn(5000)
    parts = [reliability(probability[i::2], states[i::2]) for i in range(2)]
    whole, joined = reliability(probability, states), join(parts)
    np.testing.assert_array_equal(joined.bars, whole.bars)
    np.testing.assert_allclose(joined.accuracy, whole.accuracy)
    assert joined.error == pytest.approx(whole.error)


def test_the_matching_knows_training_alone():
    states = np.array([0] * 50 + [1] * 50 + [0] * 100)
    renamed = np.eye(2)[1 - states]
    assert brier(matched(renamed, states, 100), states) == 0.0
    # After training the names are turned: a matching that saw it would follow the majority.
    turned = np.concatenate([renamed[:100], 1 - renamed[100:]])
    assert brier(matched(turned, states, 100)[100:], states[100:]) == 2.0
