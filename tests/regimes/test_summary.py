import numpy as np
import pytest

from regimetry.regimes.summary import summarise
from regimetry.regimes.temperature import fit_inverse_temperature


def test_each_regime_is_described_over_its_bars():
    labels = np.array([0, 0, 1, 1, 1, 0])
    features = np.array([[1.0], [3.0], [10.0], [10.0], [10.0], [2.0]])
    calm, wild, absent = summarise(labels, features, 3)
    assert (calm.share, calm.spells, calm.mean_dwell) == (0.5, 2, 1.5)
    assert calm.mean == (2.0,)
    assert calm.deviation == pytest.approx((np.sqrt(2 / 3),))
    assert (wild.share, wild.spells, wild.mean_dwell, wild.mean) == (0.5, 1, 3.0, (10.0,))
    assert (absent.share, absent.spells, absent.mean_dwell) == (0.0, 0, 0.0)


def test_sharpness_follows_how_often_the_cheapest_is_right():
    generator = np.random.default_rng(0)
    truth = generator.integers(0, 2, 4000)
    sharpness = []
    for error in (0.02, 0.3):
        seen = np.where(generator.random(4000) < error, 1 - truth, truth)
        costs = np.stack([seen, 1 - seen], axis=1).astype(float)
        fitted = fit_inverse_temperature(costs, truth, 0, np.array([0, len(truth)]))
        assert 1 / (1 + np.exp(-fitted)) == pytest.approx(1 - error, abs=0.02)
        sharpness.append(fitted)
    assert sharpness[0] > sharpness[1]
    assert (
        fit_inverse_temperature(np.zeros((5, 1)), np.zeros(5, dtype=int), 3, np.array([0, 5]))
        == 1.0
    )
