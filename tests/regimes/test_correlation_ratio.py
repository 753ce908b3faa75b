"""What labels explain of windows at other places."""

import numpy as np
import pytest

from regimetry.regimes.evidence.correlation_ratio import correlation_ratio_apart


def by_hand(points, labels, pairs):
    """Between and all, of the points (n, L) of ``pairs`` of a place with a label and another."""
    chosen = [(points[other], labels[place]) for place, other in pairs if labels[place] >= 0]
    values = np.array([value for value, _ in chosen])
    kinds = np.array([kind for _, kind in chosen])
    within = sum(((values[kinds == k] - values[kinds == k].mean(0)) ** 2).sum() for k in set(kinds))
    return 1.0 - within / ((values - values.mean(0)) ** 2).sum()


def test_it_is_the_correlation_ratio_at_the_other_places():
    generator = np.random.default_rng(0)
    points, labels = generator.standard_normal((50, 3)), generator.integers(-1, 4, 50)
    points[:, 1] += labels
    series = [range(20), range(20, 24), range(24, 50)]
    ahead, behind = 7, 2
    later = [(i, i + ahead) for one in series for i in one if i + ahead in one]
    earlier = [(i, i - behind) for one in series for i in one if i - behind in one]
    expected = (by_hand(points, labels, later) + by_hand(points, labels, earlier)) / 2
    found = correlation_ratio_apart(points, labels, ahead, behind, np.array([0, 20, 24, 50]))
    assert found == pytest.approx(expected)
    assert found != pytest.approx(correlation_ratio_apart(points, labels, 7, 2, np.array([0, 50])))


def test_labels_of_noise_explain_themselves_and_nothing_apart():
    points = np.random.default_rng(0).standard_normal((4000, 2))
    labels = (points[:, 0] > 0).astype(int)
    everything = np.array([0, len(points)])
    assert correlation_ratio_apart(points, labels, 0, 0, everything) > 0.3
    assert correlation_ratio_apart(points, labels, 1, 1, everything) < 0.01


@pytest.mark.parametrize(
    ("points", "labels"),
    [
        (np.ones((20, 2)), np.arange(20) % 2),
        (np.random.default_rng(0).standard_normal((20, 2)), np.full(20, -1)),
        (np.random.default_rng(0).standard_normal((4, 2)), np.zeros(4, int)),
    ],
)
def test_nothing_is_explained_where_nothing_varies_or_no_pair_is_known(points, labels):
    assert correlation_ratio_apart(points, labels, 5, 5, np.array([0, len(points)])) == 0.0
