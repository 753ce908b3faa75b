import numpy as np
import pytest
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_info, threadpool_limits

from regimetry.regimes.clustering.clusters import in_one_thread
from regimetry.regimes.clustering.head import canonical_order, fit_head
from regimetry.regimes.clustering.sampling import stratified_rows
from regimetry.regimes.clustering.slow import LaggedSums, fit_slow_directions
from regimetry.regimes.clustering.spectral import (
    affinity_exponents,
    coarseness,
    fit_spectral_map,
    squared_distances,
)


def groups(centres, n=60, deviation=1.0, seed=0):
    generator = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(centres)), n)
    noise = generator.standard_normal((len(truth), np.shape(centres)[1]))
    return np.asarray(centres, float)[truth] + deviation * noise, truth


def affinity_of(points):
    centred = points - points.mean(axis=0)
    squared = squared_distances(centred, centred)
    np.fill_diagonal(squared, 0.0)
    return np.exp(-affinity_exponents(squared, 15)[0])


DATA = {
    "apart": (groups(8 * np.eye(4), seed=1)[0], 4),
    "of unequal spread": (
        np.concatenate([groups([[0, 0, 0]], 150, 0.3)[0], groups([[6, 0, 0]], 80, 1.5, 1)[0]]),
        2,
    ),
    "moons": (make_moons(300, noise=0.03, random_state=0)[0], 2),
    "circles": (make_circles(400, noise=0.04, factor=0.4, random_state=0)[0], 2),
    "islands": (groups(1e4 * np.eye(3), seed=2)[0], 3),
    "in line": (groups(np.arange(5)[:, None] * [9.0, 1.0], seed=3)[0], 5),
}


def mine(points, k):
    return KMeans(k, n_init=20, random_state=0).fit_predict(
        fit_spectral_map(points, k, k).transform(points)
    )


@pytest.mark.parametrize("name", DATA)
def test_with_every_point_a_landmark_the_labels_are_scikit_learns(name):
    points, k = DATA[name]
    rival = SpectralClustering(
        k, affinity="precomputed", eigen_solver="lobpcg", n_init=20, random_state=0
    )
    if name == "islands":
        with pytest.warns(UserWarning, match="not fully connected"):
            theirs = rival.fit_predict(affinity_of(points))
    else:
        theirs = rival.fit_predict(affinity_of(points))
    assert adjusted_rand_score(theirs, mine(points, k)) == 1.0


def test_the_comparison_of_labels_can_fail():
    points, k = DATA["of unequal spread"]
    spoiled = affinity_of(points[:, ::-1] * [1.0, 1.0, 0.05])
    theirs = SpectralClustering(k, affinity="precomputed", random_state=0).fit_predict(spoiled)
    assert adjusted_rand_score(theirs, mine(points, k)) < 1.0


def test_islands_are_joined_to_their_nearest_until_they_are_as_few_as_the_regimes():
    centres = np.array([[0.0, 0], [60, 0], [1000, 0], [1000, 60]])
    points, truth = groups(centres, 80)
    exponents = -np.log(np.maximum(affinity_of(points), 1e-300))
    assert coarseness(exponents, 4) == 1.0
    assert coarseness(exponents, 2) > 1.0
    assert adjusted_rand_score(truth // 2, mine(points, 2)) == 1.0
    assert adjusted_rand_score(truth, mine(points, 4)) == 1.0


def test_islands_keep_the_map_of_landmarks_exact():
    points, _ = groups(np.array([[0.0, 0], [37.5, 0], [1000, 0]]), 60, 0.1)
    fitted = fit_spectral_map(points, 2, 2)
    assert fitted.bandwidths.min() > fitted.least_bandwidth
    centred = points - points.mean(axis=0)
    squared = squared_distances(centred, centred)
    np.fill_diagonal(squared, 0.0)
    own = fitted.bandwidths * fitted.least_bandwidth / fitted.bandwidths.min()
    affinity = np.exp(-squared / (fitted.bandwidths[:, None] * own))
    root = np.sqrt(affinity.sum(axis=1))
    vectors = np.linalg.eigh(affinity / root[:, None] / root)[1][:, :-3:-1]
    expected = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    found = fitted.transform(points)
    # Two eigenvalues are 1, and any rotation of their vectors is as good: compare the angles.
    np.testing.assert_allclose(found @ found.T, expected @ expected.T, atol=1e-6)


def test_more_islands_than_eigenvalues_are_not_one_regime():
    points, _ = groups(1e6 * np.eye(8), 40)
    assert np.argmin(np.diff(fit_spectral_map(points, 1, 9).eigenvalues)) > 0


@pytest.mark.parametrize("n_landmarks", [40, 10_000])
def test_copies_of_a_feature_and_of_windows_work(n_landmarks):
    points, truth = groups([[0.0, 0], [8, 0]], 100)
    doubled = np.repeat(np.column_stack([points, points]), 2, axis=0)
    head = fit_head(doubled, np.repeat(truth, 2), n_regimes=2, lag=1, n_landmarks=n_landmarks)
    labels = head.outputs(doubled)["distance"].argmin(axis=1)
    assert adjusted_rand_score(np.repeat(truth, 2), labels) == 1.0


def test_fewer_windows_than_landmarks_and_one_regime():
    points, _ = groups([[0.0, 0]], 12)
    head = fit_head(points, np.ones(12), n_regimes=1, lag=5, n_landmarks=1000)
    assert head.outputs(points)["distance"].shape == (12, 1)


def blobs(n=60, k=3):
    return groups(6 * np.eye(k, 4), n)


def behind_largest_gap(eigenvalues):
    return int(np.argmax(-np.diff(eigenvalues))) + 1


def test_distances_are_euclidean_and_not_negative():
    points, _ = blobs()
    expected = ((points[:, None] - points) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared_distances(points, points), expected, atol=1e-9)
    assert squared_distances(points, points).min() >= 0


def test_the_extension_gives_landmarks_their_own_eigenvectors():
    points, _ = blobs()
    fitted = fit_spectral_map(points, 3, 6)
    affinity = affinity_of(points)
    root = np.sqrt(affinity.sum(axis=1))
    values, vectors = np.linalg.eigh(affinity / root[:, None] / root)
    expected = vectors[:, ::-1][:, :3]
    expected = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    found = fitted.transform(points)
    signs = np.sign(np.sum(found * expected, axis=0))
    np.testing.assert_allclose(found, expected * signs, atol=1e-6)
    np.testing.assert_allclose(fitted.eigenvalues, values[::-1][:6], atol=1e-10)


def test_landmarks_speak_for_the_points_they_left_out():
    points, truth = blobs(n=700)
    rows = stratified_rows(len(points), 300, np.random.default_rng(0))
    unit = fit_spectral_map(points[rows], 3, 3).transform(points)
    nearest = np.array([unit[truth == k].mean(axis=0) for k in range(3)])
    labels = ((unit[:, None] - nearest) ** 2).sum(axis=2).argmin(axis=1)
    assert adjusted_rand_score(truth, labels) > 0.99


def test_a_point_far_from_everything_has_finite_coordinates():
    points, _ = blobs()
    unit = fit_spectral_map(points, 3, 3).transform(np.full((1, 4), 1e6))
    np.testing.assert_allclose(np.linalg.norm(unit), 1.0)


def test_identical_points_do_not_divide_by_zero():
    fitted = fit_spectral_map(np.ones((40, 3)), 1, 6)
    assert np.isfinite(fitted.transform(np.ones((2, 3)))).all()
    assert behind_largest_gap(fitted.eigenvalues) == 1


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_the_eigengap_counts_separate_clusters(k):
    points, _ = blobs(n=80, k=k)
    assert behind_largest_gap(fit_spectral_map(points, 1, 6).eigenvalues) == k


def test_stratified_rows_cover_time_evenly():
    rows = stratified_rows(10_000, 100, np.random.default_rng(0))
    assert np.array_equal(rows // 100, np.arange(100))
    assert np.array_equal(stratified_rows(5, 100, np.random.default_rng(0)), np.arange(5))


def test_the_slow_direction_comes_first():
    generator = np.random.default_rng(0)
    slow = np.repeat(generator.choice([-1.0, 1.0], 40), 50)
    fast = generator.standard_normal((2000, 3)) * [5.0, 1.0, 1.0]
    mixed = np.column_stack([fast[:, 0], slow + 0.3 * fast[:, 1], fast[:, 2]])
    fitted = fit_slow_directions(mixed, lag=10)
    first = fitted.whiten(mixed) @ fitted.projection(1)
    assert abs(np.corrcoef(first[:, 0], slow)[0, 1]) > 0.9
    np.testing.assert_allclose(np.cov(fitted.whiten(mixed).T, bias=True), np.eye(3), atol=1e-8)


def cycles_and_steps():
    """Embeddings whose cycle comes round once a lag of 10, and whose regimes last 50 windows."""
    generator = np.random.default_rng(3)
    angle = 2.0 * np.pi * np.arange(2000) / 10
    regimes = np.repeat(generator.choice([-1.0, 1.0], 40), 50)
    noise = 0.3 * generator.standard_normal((2000, 3))
    return regimes, np.column_stack([np.cos(angle), np.sin(angle), regimes]) + noise


def test_a_cycle_is_not_slow_though_it_comes_back_after_the_lag():
    regimes, values = cycles_and_steps()
    fitted = fit_slow_directions(values, lag=10, spread=True)
    first = fitted.whiten(values) @ fitted.projection(1)
    assert abs(np.corrcoef(first[:, 0], regimes)[0, 1]) > 0.85
    assert fitted.autocorrelation[1] < 0.1
    alone = fit_slow_directions(values, lag=10)
    assert abs(np.corrcoef(alone.whiten(values) @ alone.projection(1)[:, 0], regimes)[0, 1]) < 0.5


def test_partners_are_the_mean_of_a_lag_of_later_windows():
    _, values = cycles_and_steps()
    values, lag = values[:57], 10
    found = LaggedSums.of(values, lag, spread=True)
    centred = values - values.mean(axis=0)
    later = [centred[t + lag : t + 2 * lag].mean(axis=0) for t in range(len(values) - lag)]
    assert found.pairs == len(later)
    np.testing.assert_allclose(found.lagged, centred[:-lag].T @ np.array(later), atol=1e-12)
    alone = LaggedSums.of(values, lag)
    np.testing.assert_allclose(alone.lagged, centred[:-lag].T @ centred[lag:], atol=1e-12)
    assert np.abs(found.lagged - alone.lagged).max() > 1.0


def test_constant_dimensions_carry_nothing():
    generator = np.random.default_rng(0)
    values = np.column_stack([generator.standard_normal(300), np.full(300, 7.0)])
    fitted = fit_slow_directions(values, lag=5)
    assert fitted.whitening.shape == (2, 1)
    assert (fitted.whitening[1] == 0).all()


def test_regimes_are_numbered_by_the_statistic():
    labels = np.array([0, 0, 1, 2, 2])
    statistic = np.array([5.0, 5.0, 1.0, 3.0, 3.0])
    assert canonical_order(labels, statistic, 4).tolist() == [1, 2, 0, 3]


def test_many_small_steps_run_in_one_thread():
    def threads():
        return {library["num_threads"] for library in threadpool_info()}

    with threadpool_limits(2):
        assert threads() == {2}
        assert in_one_thread(threads)() == {1}
        assert threads() == {2}
