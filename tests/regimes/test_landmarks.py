import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from regimetry.regimes.choice.stability import stability
from regimetry.regimes.clustering import landmarks
from regimetry.regimes.clustering.head import fit_head
from regimetry.regimes.clustering.landmarks import (
    LEAST_GAIN,
    MOST_LOSS,
    MOST_SPREAD,
    Landmarks,
    choose_landmarks,
    cluster_on,
    landmark_rows,
)
from regimetry.regimes.clustering.sampling import even_rows, spread_rows, stratified_rows
from regimetry.regimes.clustering.slow import fit_slow_directions, slow_dimension
from regimetry.regimes.evidence.correlation_ratio import correlation_ratio


def rest_and_exercise(deviation_at_rest=0.3, rounds=2, wide=40):
    """Two tight states of rest hold most of the bars, three wide ones the others."""
    generator = np.random.default_rng(3)
    truth = np.repeat([0, 1, 2, 0, 1, 3, 0, 1, 4] * rounds, [300, 300, wide] * 3 * rounds)
    deviation = np.array([deviation_at_rest, deviation_at_rest, 1.0, 1.0, 1.0])[truth]
    noise = generator.standard_normal((len(truth), 5))
    return 6.0 * np.eye(5)[truth] + deviation[:, None] * noise, truth


def clustered(points, n_landmarks=300):
    """Return what is chosen for points as they come, and the labels of all of them."""
    slow = fit_slow_directions(points, 1)
    points = slow.whiten(points) @ slow.projection(slow_dimension(5))
    even = stratified_rows(len(points), n_landmarks, np.random.default_rng(0))
    rows = np.arange(len(points))
    chosen = choose_landmarks(points, even, rows, 5, block=10, seed=0)
    own = landmark_rows(chosen.drawn, points, even, rows, 0)
    return cluster_on(points[own], points, 5, 0).labels, chosen


def test_spread_rows_leave_the_rare_and_wide_their_share():
    points, truth = rest_and_exercise(0.02)
    spread = spread_rows(points, np.arange(len(points)), 200, np.random.default_rng(0))
    even = stratified_rows(len(points), 200, np.random.default_rng(0))
    assert len(spread) == 200
    assert np.mean(truth[spread] >= 2) > 0.5
    assert np.mean(truth[even] >= 2) < 0.1
    assert np.array_equal(
        spread, spread_rows(points, np.arange(len(points)), 200, np.random.default_rng(0))
    )


def test_spread_rows_are_all_where_few_and_one_of_a_kind():
    points, _ = rest_and_exercise()
    few = np.arange(7, 157)
    assert np.array_equal(spread_rows(points, few, 200, np.random.default_rng(0)), few)
    copies = np.repeat(points[::600], 50, axis=0)
    drawn = spread_rows(copies, np.arange(len(copies)), 100, np.random.default_rng(0))
    assert len(np.unique(copies[drawn], axis=0)) == len(copies) // 50


def test_landmarks_are_spread_where_that_explains_more():
    points, truth = rest_and_exercise()
    labels, chosen = clustered(points)
    assert chosen.drawn == "spread"
    assert chosen.explained_spread >= chosen.explained_even + LEAST_GAIN
    assert chosen.stability_spread >= chosen.stability_even - MOST_LOSS
    assert adjusted_rand_score(truth, labels) > 0.95


def test_landmarks_stay_even_where_spread_ones_are_less_steady(monkeypatch):
    def shaken(*arguments, draw, **options):
        found = stability(*arguments, draw=draw, **options)
        return found if draw is even_rows else np.zeros_like(found)

    monkeypatch.setattr(landmarks, "stability", shaken)
    points, truth = rest_and_exercise()
    labels, chosen = clustered(points)
    assert chosen.drawn == "even"
    assert chosen.stability_even > MOST_LOSS > chosen.stability_spread
    assert adjusted_rand_score(truth, labels) < 0.8


def test_landmarks_stay_even_where_spread_ones_join_what_is_tight():
    points, truth = rest_and_exercise(0.02, rounds=3, wide=100)
    labels, chosen = clustered(points)
    assert chosen.drawn == "even"
    assert chosen.explained_spread < chosen.explained_even - 0.1
    assert chosen.stability_spread is None
    assert adjusted_rand_score(truth, labels) > 0.95


def test_nothing_is_chosen_where_every_window_is_a_landmark():
    points, _ = rest_and_exercise()
    assert clustered(points[:900], n_landmarks=1000)[1] == Landmarks()


def test_the_head_stands_on_the_landmarks_that_were_chosen():
    points, truth = rest_and_exercise()
    head = fit_head(points, truth.astype(float), n_regimes=5, lag=1, n_landmarks=300)
    assert head.landmarks.drawn == "spread"
    assert fit_head(points, truth.astype(float), n_regimes=1, lag=1).landmarks == Landmarks()
    labels = head.outputs(points)["distance"].argmin(axis=1)
    assert adjusted_rand_score(truth, labels) > 0.95


def test_landmarks_are_all_that_were_drawn_even_or_fewer_spread_ones():
    points, _ = rest_and_exercise()
    even = stratified_rows(len(points), 800, np.random.default_rng(0))
    fitted = np.arange(0, len(points), 2)
    assert landmark_rows("even", points, even, fitted, 0) is even
    spread = landmark_rows("spread", points, even, fitted, 0)
    assert len(spread) == MOST_SPREAD
    assert set(spread) <= set(fitted)
    assert np.array_equal(spread, landmark_rows("spread", points, even, fitted, 0))


def test_centroids_are_fitted_on_points_that_need_not_be_landmarks():
    points, truth = rest_and_exercise()
    spread = spread_rows(points, np.arange(len(points)), 300, np.random.default_rng(0))
    found = cluster_on(points[spread], points[1::2], 5, 0)
    assert found.labels.shape == truth[1::2].shape
    assert adjusted_rand_score(truth[1::2], found.labels) > 0.95


def test_the_share_explained_is_that_of_the_sums_of_squares():
    points, truth = rest_and_exercise()
    means = np.stack([points[truth == k].mean(axis=0) for k in range(5)])
    within = np.sum((points - means[truth]) ** 2)
    total = np.sum((points - points.mean(axis=0)) ** 2)
    assert correlation_ratio(points, truth) == pytest.approx(1.0 - within / total)
    assert correlation_ratio(points, np.zeros(len(points), int)) == pytest.approx(0.0, abs=1e-12)
    assert correlation_ratio(np.ones((4, 2)), np.arange(4)) == 0.0
