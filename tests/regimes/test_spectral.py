import numpy as np
import pytest
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.metrics import adjusted_rand_score
from threadpoolctl import threadpool_info, threadpool_limits

from regimetry.errors import DataError
from regimetry.regimes.clustering.clusters import in_one_thread
from regimetry.regimes.clustering.head import canonical_order, fit_head
from regimetry.regimes.clustering.sampling import stratified_rows
from regimetry.regimes.clustering.slow import fit_slow_directions
from regimetry.regimes.clustering.spectral import (
    fit_spectral_map,
    self_tuned_affinity,
    squared_distances,
)


def blobs(n=60, k=3, seed=0):
    generator = np.random.default_rng(seed)
    centres = 6 * np.eye(k, 4)
    truth = np.repeat(np.arange(k), n)
    return centres[truth] + generator.standard_normal((n * k, 4)), truth


def behind_largest_gap(eigenvalues):
    return int(np.argmax(-np.diff(eigenvalues))) + 1


def test_distances_are_euclidean_and_not_negative():
    points, _ = blobs()
    expected = ((points[:, None] - points) ** 2).sum(axis=2)
    np.testing.assert_allclose(squared_distances(points, points), expected, atol=1e-9)
    assert squared_distances(points, points).min() >= 0


def test_agrees_with_scikit_learn_on_the_same_affinity():
    points, truth = blobs()
    centred = points - points.mean(axis=0)
    affinity, _ = self_tuned_affinity(squared_distances(centred, centred), 15)
    rival = SpectralClustering(3, affinity="precomputed", random_state=0).fit_predict(affinity)
    unit = fit_spectral_map(points, 3, 3).transform(points)
    mine = KMeans(3, n_init=10, random_state=0).fit_predict(unit)
    assert adjusted_rand_score(rival, mine) == 1.0
    assert adjusted_rand_score(truth, mine) == 1.0


def test_the_head_has_one_centroid_a_regime():
    points, truth = blobs()
    head = fit_head(points, truth.astype(float), n_regimes=3, lag=1, n_landmarks=10_000)
    assert head.centroids.shape == (3, 3)


def test_the_extension_gives_landmarks_their_own_eigenvectors():
    points, _ = blobs()
    fitted = fit_spectral_map(points, 3, 6)
    centred = points - points.mean(axis=0)
    affinity, _ = self_tuned_affinity(squared_distances(centred, centred), 15)
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


def test_more_regimes_than_windows_are_refused():
    with pytest.raises(DataError, match="4 windows cannot hold 5 regimes"):
        fit_head(np.zeros((4, 2)), np.zeros(4), n_regimes=5, lag=1)


def test_many_small_steps_run_in_one_thread():
    def threads():
        return {library["num_threads"] for library in threadpool_info()}

    with threadpool_limits(2):
        assert threads() == {2}
        assert in_one_thread(threads)() == {1}
        assert threads() == {2}
