import numpy as np
import pytest
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.datasets import make_circles, make_moons
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from regimetry.errors import DataError
from regimetry.regimes import memory
from regimetry.regimes.clustering import slow
from regimetry.regimes.clustering.head import fit_head
from regimetry.regimes.clustering.slow import by_block, fit_slow_directions
from regimetry.regimes.clustering.spectral import (
    coarseness,
    fit_spectral_map,
    self_tuned_affinity,
    squared_distances,
)
from regimetry.regimes.memory import GIB, available_bytes, block_rows, fit_bytes, require_memory


def groups(centres, n=60, deviation=1.0, seed=0):
    generator = np.random.default_rng(seed)
    truth = np.repeat(np.arange(len(centres)), n)
    noise = generator.standard_normal((len(truth), np.shape(centres)[1]))
    return np.asarray(centres, float)[truth] + deviation * noise, truth


def affinity_of(points):
    centred = points - points.mean(axis=0)
    squared = squared_distances(centred, centred)
    np.fill_diagonal(squared, 0.0)
    return self_tuned_affinity(squared, 15)[0]


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
    scales = fitted.bandwidths * fitted.least_bandwidth / fitted.bandwidths.min()
    affinity = np.exp(-squared / (fitted.bandwidths[:, None] * scales))
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


def test_blocks_change_nothing(monkeypatch):
    values = np.random.default_rng(0).standard_normal((500, 12)).astype(np.float32)
    whole = fit_slow_directions(values, 5)
    outputs = fit_head(values, values[:, 0], n_regimes=2, lag=5, n_landmarks=100).outputs(values)
    monkeypatch.setattr(memory, "BLOCK_ENTRIES", 1000)
    assert block_rows(100) == 10
    parts = fit_slow_directions(values, 5)
    np.testing.assert_allclose(parts.autocorrelation, whole.autocorrelation, atol=1e-12)
    np.testing.assert_allclose(parts.whiten(values), whole.whiten(values), atol=1e-9)
    again = fit_head(values, values[:, 0], n_regimes=2, lag=5, n_landmarks=100).outputs(values)
    for name, expected in outputs.items():
        np.testing.assert_allclose(again[name], expected, atol=1e-7)


def test_whitening_is_that_of_the_whole_matrix():
    values = np.random.default_rng(1).standard_normal((400, 6)) @ np.diag([5, 1, 1, 1, 1, 0.1])
    values += 1e3
    white = fit_slow_directions(values, 3).whiten(values)
    np.testing.assert_allclose(np.cov(white.T, bias=True), np.eye(white.shape[1]), atol=1e-8)
    assert by_block(lambda part: part, values, 6).shape == (400, 6)


def test_memory_grows_with_windows_and_with_the_square_of_landmarks():
    assert fit_bytes(500_000, 192, 1000) < 4 * GIB
    step = fit_bytes(200_000, 192, 1000) - fit_bytes(100_000, 192, 1000)
    assert fit_bytes(300_000, 192, 1000) - fit_bytes(200_000, 192, 1000) == step
    assert fit_bytes(10**6, 192, 40_000) > 4 * 8 * 40_000**2
    assert fit_bytes(500, 8, 10**9) == fit_bytes(500, 8, 500)


def test_a_fit_that_memory_does_not_hold_is_refused_before_it_starts():
    with pytest.raises(DataError, match=r"40000 landmarks needs \d+\.\d\d GiB; 4\.00 GiB are") as e:
        require_memory(500_000, 192, 40_000, available=4 * GIB)
    fits = int(str(e.value).split("n_landmarks to ")[1].split()[0])
    require_memory(500_000, 192, fits, available=4 * GIB)
    with pytest.raises(DataError, match="Give fewer rows"):
        require_memory(50_000_000, 192, 1000, available=4 * GIB)
    require_memory(500_000, 192, 1000, available=4 * GIB)


def test_the_estimator_asks_for_memory(monkeypatch):
    values = rg.simulate("s2", n_rows=400, seed=0).values
    monkeypatch.setattr(memory, "available_bytes", lambda: 1 << 20)
    with pytest.raises(DataError, match="391 windows with 391 landmarks needs"):
        rg.RegimeDetector(n_regimes=2, random_state=0).fit(values)


def test_what_the_machine_has_left_is_known_here():
    found = available_bytes()
    assert found is None or 0 < found < 1 << 50


def test_slow_directions_take_no_copy_of_all_embeddings_in_float64(monkeypatch):
    import tracemalloc

    values = np.random.default_rng(0).standard_normal((40_000, 64)).astype(np.float32)
    monkeypatch.setattr(memory, "BLOCK_ENTRIES", 1 << 16)
    tracemalloc.start()
    slow.fit_slow_directions(values, 10)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # White coordinates (N, 32) and their parts; a float64 copy would be as much again on its own.
    assert peak < 3 * 8 * 32 * len(values)
