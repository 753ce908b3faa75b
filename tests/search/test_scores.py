"""Each score tells regimes from noise, and says so when it cannot."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from regimetry.errors import DataError
from regimetry.search.evaluate import _separation
from regimetry.search.ranking import ranked
from regimetry.search.scores import label_stability, predictability, separation, silhouette
from regimetry.series.simulators.chains import markov_states

T = 1500


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def states_of(generator, n_rows=T, k=3):
    return markov_states(n_rows, [0.98] * k, generator)


def noise_of(generator, n_rows=T, k=3, window=30):
    """Labels of no regime that persist as those of overlapping windows do: cuts of a mean."""
    draws = generator.standard_normal(n_rows + window - 1)
    means = np.convolve(draws, np.ones(window) / window, "valid")
    return np.searchsorted(np.quantile(means, np.arange(1, k) / k), means)


def test_stability_is_agreement_whatever_the_numbers_and_nothing_of_noise(generator):
    states = states_of(generator)
    assert label_stability(states, (states + 1) % 3, 3, 3) == 1.0
    some = np.where(generator.random(T) < 0.2, generator.integers(0, 3, T), states)
    assert 0.4 < label_stability(states, some, 3, 3) < 0.9
    missing = np.where(np.arange(T) < 100, -1, states)
    assert label_stability(missing, states, 3, 3) == 1.0
    first, second = noise_of(generator), noise_of(generator)
    assert abs(label_stability(first, second, 3, 3)) < 0.1
    assert label_stability(np.zeros(T, int), first, 3, 3) == 0.0
    # Not 1: nothing is agreed on.
    assert label_stability(np.zeros(T, int), np.zeros(T, int), 3, 3) == 0.0


@pytest.mark.parametrize("k", [2, 3, 5])
def test_separation_tells_clusters_from_a_cut_cloud(generator, k):
    labels = states_of(generator, k=k)
    centres = 6 * np.eye(k)[:, : max(k - 1, 3)]
    noise = generator.standard_normal((T, centres.shape[1]))
    assert separation(centres[labels] + noise, labels, 10) > 0.2
    # The same labels on a cloud that knows nothing of them, and the best cut of a cloud.
    assert separation(noise, labels, 10) < -0.05
    angle = np.arctan2(noise[:, 1], noise[:, 0])
    assert separation(noise, np.digitize(angle, np.linspace(-np.pi, np.pi, k + 1)[1:-1]), 10) < 0.02


def test_separation_of_two_halves_is_of_the_middle_one(generator):
    """A pretrained encoder tells with hindsight by the first half of its embedding."""
    labels = states_of(generator, k=2)
    told = 6.0 * np.eye(2)[labels] @ generator.standard_normal((2, 4))
    clusters, cloud = told + generator.standard_normal((T, 4)), generator.standard_normal((T, 4))

    def model(*halves):
        return SimpleNamespace(
            contract=SimpleNamespace(halves=True, window_size=10, window_rows=10, n_regimes=2),
            embed=lambda _: np.concatenate(halves, axis=1),
            predict=lambda _: pd.Series(labels),
        )

    assert _separation(model(clusters, cloud), None, None) > 0.1
    assert _separation(model(cloud, clusters), None, None) < 0.02


def test_separation_takes_windows_that_share_no_row(generator):
    """Points that repeat for a window's length must not count as that many points."""
    points = np.repeat(generator.standard_normal((T // 10, 3)), 10, axis=0)
    labels = np.repeat(np.arange(T // 10) % 2, 10)
    assert separation(points, labels, 10) == pytest.approx(
        separation(points[::10], labels[::10], 1)
    )
    assert separation(points, np.zeros(T, int), 10) == -1.0


def test_silhouette_and_predictability_by_hand():
    points = np.array([[0.0], [1.0], [10.0], [11.0]])
    # a = 1 for each; b = 10.5, 9.5, 9.5, 10.5
    by_hand = np.mean([1 - 1 / 10.5, 1 - 1 / 9.5] * 2)
    assert silhouette(points, np.array([0, 0, 1, 1])) == pytest.approx(by_hand)
    assert silhouette(points, np.array([0, 0, 0, 0])) == 0.0
    assert silhouette(points, np.array([0, 1, 2, 3])) == 0.0
    past = np.array([0, 0, 0, 1, 1, 1, 0, 0])
    future = np.array([0, 0, 1, 1])
    # Stays 2 + 1 of 0 with 1 exit, 2 of 1 with 1 exit: 7 transitions, 5 stays; prior (5+1)/(7+2).
    prior = np.array([[2 / 3, 1 / 3], [1 / 3, 2 / 3]])
    counts = np.array([[3, 1], [1, 2]])
    matrix = (counts + 2 * prior) / (counts.sum(axis=1, keepdims=True) + 2)
    matrix = matrix @ matrix
    shares = np.array([7, 5]) / 12
    gain = np.mean([np.log(matrix[0, 1] / shares[1])] * 2)
    entropy = -(shares * np.log(shares)).sum()
    assert predictability(past, future, 2, 2) == pytest.approx(gain / entropy)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_predictability_tells_persistent_states_from_overlapping_windows(k):
    """On the mean of draws: one draw of ten spells says little."""
    true, noise, shuffled = [], [], []
    for seed in range(20):
        generator = np.random.default_rng(seed)
        states = markov_states(2 * T, [0.99] * k, generator)
        true.append(predictability(states[:T], states[T:], k, 31))
        labels = noise_of(generator, 2 * T, k)
        noise.append(predictability(labels[:T], labels[T:], k, 31))
        # Over one bar the same noise would look as predictable as states do.
        assert predictability(labels[:T], labels[T:], k, 1) > 0.4
        mixed = generator.permutation(states)
        shuffled.append(predictability(mixed[:T], mixed[T:], k, 31))
    assert np.mean(true) > 0.1
    assert np.mean(noise) < 0.0
    assert abs(np.mean(shuffled)) < 0.02


def test_predictability_has_no_look_ahead_and_an_answer_at_the_edges(generator):
    """The chain is the past's: with the future's own it would be another number."""
    past, future = noise_of(generator), states_of(generator)
    assert predictability(past, future, 3, 5) != predictability(future, future, 3, 5)
    states = states_of(generator)
    assert predictability(np.zeros(100, int), np.zeros(100, int), 2, 5) == 0.0
    with pytest.raises(DataError, match="no pair 200 bars apart"):
        predictability(states, states[:200], 3, 200)


def trial(number, *scores):
    names = ("stability", "separation", "predictability")
    return {"point": {"seed": number}, "scores": dict(zip(names, scores, strict=True))}


def test_the_order_is_by_the_mean_of_three_ranks():
    trials = [
        trial(0, 0.9, 0.1, 0.1),  # ranks 1, 3, 3
        trial(1, 0.5, 0.5, 0.5),  # 2, 1, 1
        {"point": {"seed": 2}, "failure": "too few rows"},
        trial(3, 0.1, 0.3, 0.3),  # 3, 2, 2
    ]
    found = ranked(trials)
    assert [entry["point"]["seed"] for entry in found] == [1, 0, 3, 2]
    assert [entry["rank"] for entry in found] == pytest.approx([4 / 3, 7 / 3, 7 / 3, None])
    assert ranked([trials[2]])[0]["rank"] is None
