"""The quick forms of the clustering, each against the form that it stands for."""

import numpy as np
import pytest
from scipy import linalg
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import KMeans, kmeans_plusplus

from regimetry.regimes.clustering import eigenvectors as module
from regimetry.regimes.clustering.clusters import (
    cluster_centres,
    distances,
    distinct_rows,
    lloyd,
    nearest,
)
from regimetry.regimes.clustering.eigenvectors import leading_eigenvectors
from regimetry.regimes.clustering.seeding import plus_plus
from regimetry.regimes.clustering.spectral import (
    count_islands,
    fit_spectral_map,
    neighbour_rank,
)


def cloud(n=900, size=5, k=4, apart=3.0, seed=0):
    generator = np.random.default_rng(seed)
    middle = apart * generator.standard_normal((k, size))
    return middle[generator.integers(k, size=n)] + generator.standard_normal((n, size))


def affinity(points):
    squared = ((points[:, None] - points) ** 2).sum(axis=2)
    scale = np.sort(np.sqrt(squared), axis=1)[:, neighbour_rank(len(points))]
    matrix = np.exp(-squared / np.outer(scale, scale))
    root = np.sqrt(matrix.sum(axis=1))
    return matrix / np.outer(root, root), root


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("apart", [0.0, 3.0, 300.0])
@pytest.mark.parametrize("count", [2, 4, 9])
def test_eigenvectors_are_those_of_the_whole_decomposition(dtype, apart, count):
    matrix = affinity(cloud(500, apart=apart))[0].astype(dtype)
    values, vectors = leading_eigenvectors(matrix.copy(), count)
    expected, whole = linalg.eigh(matrix.astype(np.float64))
    tolerance = 1e-5 if dtype == np.float32 else 1e-9
    np.testing.assert_allclose(values, expected[::-1][:count], atol=tolerance)
    # Islands share an eigenvalue, and any rotation of their vectors is as good: as many as there
    # are, or all of one value.
    full = np.flatnonzero(-np.diff(expected[::-1]) > 1e-3)
    number = full[full < count].max(initial=-1) + 1
    space, own = whole[:, ::-1][:, :number], vectors[:, :number]
    np.testing.assert_allclose(own @ (own.T @ space), space, atol=100 * tolerance)


def test_an_eigenvalue_that_is_there_twice_is_noticed(monkeypatch):
    matrix = affinity(cloud(500, k=8, apart=300.0))[0].astype(np.float32)
    assert leading_eigenvectors(matrix, 8)[0] == pytest.approx(1.0, abs=1e-5)
    for first, least, most in ((492, 0.0, 0.9), (493, 0.999, 1.001)):
        found = linalg.eigh(matrix, subset_by_index=(first, 499))
        assert least < module._largest_left(matrix, *found) < most
    monkeypatch.setattr(module, "_largest_left", lambda *_: -1.0)
    assert leading_eigenvectors(matrix, 8)[0].min() < 0.9


def test_few_rows_and_slow_convergence_take_the_whole_decomposition(monkeypatch):
    matrix = affinity(cloud(500))[0]
    expected, _ = leading_eigenvectors(matrix, 5)
    monkeypatch.setattr(module, "_RESTARTS", 1)
    noise = np.random.default_rng(0).standard_normal((500, 500))
    hard = noise + noise.T
    np.testing.assert_allclose(
        leading_eigenvectors(hard, 3)[0], linalg.eigvalsh(hard)[:-4:-1], rtol=1e-10
    )
    monkeypatch.setattr(module, "_LARGE", 501)
    np.testing.assert_allclose(leading_eigenvectors(matrix, 5)[0], expected, atol=1e-12)


@pytest.mark.parametrize("density", [0.0, 0.003, 0.01, 0.5])
def test_islands_are_the_connected_components(density):
    generator = np.random.default_rng(0)
    linked = np.triu(generator.random((150, 150)) < density)
    linked |= linked.T | np.eye(150, dtype=bool)
    expected = connected_components(linked, directed=False, return_labels=False)
    assert count_islands(linked) == expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_map_is_that_of_its_definition(dtype):
    points = cloud(400)
    landmarks, others = points[:300], points[300:]
    matrix, root = affinity(landmarks)
    values, vectors = linalg.eigh(matrix)
    loadings = vectors[:, :-5:-1] / root[:, None] / values[:-5:-1]
    rank = neighbour_rank(300)
    squared = ((landmarks[:, None] - landmarks) ** 2).sum(axis=2)
    scale = np.sort(np.sqrt(squared), axis=1)[:, rank]
    far = ((others[:, None] - landmarks) ** 2).sum(axis=2)
    local = np.sort(np.sqrt(far), axis=1)[:, rank]
    expected = np.exp(-far / np.outer(np.maximum(local, scale.min()), scale)) @ loadings
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    found = fit_spectral_map(landmarks.astype(dtype), 4, 4)
    got = found.transform(others)
    assert got.dtype == found.eigenvalues.dtype == dtype
    signs = np.sign(np.sum(got * expected, axis=0))
    tolerance = 1e-3 if dtype == np.float32 else 1e-9
    np.testing.assert_allclose(got * signs, expected, atol=tolerance)


@pytest.mark.parametrize("sets", [1, 7])
def test_k_means_moves_centres_as_scikit_learn_does(sets):
    points, generator = cloud(), np.random.default_rng(0)
    seeds = points[plus_plus(points, 4, generator, sets)]
    centres, inertia = lloyd(points, seeds)
    constant = np.sum(points**2)
    for start, found, own in zip(seeds, centres, inertia, strict=True):
        expected = KMeans(4, init=start, n_init=1, tol=1e-5).fit(points)
        np.testing.assert_allclose(found, expected.cluster_centers_, atol=0.05)
        assert own + constant == pytest.approx(expected.inertia_, rel=1e-3)


def test_the_best_of_the_starts_is_as_good_as_scikit_learns():
    for seed in range(5):
        points = cloud(3000, k=6, apart=1.5, seed=seed)
        centres = cluster_centres(points, 6, seed=seed, starts=10)
        inertia = np.sum(distances(points, centres).min(axis=1) ** 2)
        assert inertia < 1.01 * KMeans(6, n_init=10, random_state=seed).fit(points).inertia_


def test_a_cluster_that_the_compared_points_lack_is_found():
    points = np.repeat([[0.0, 0], [5, 0], [0, 5]], [2990, 2991, 19], axis=0)
    points[5900:5919] = points[-19:]
    assert len(distinct_rows(points[::6], 3)) == 3
    rare = np.concatenate([np.repeat([[0.0, 0], [5, 0]], 3000, axis=0), [[0, 5]] * 2])
    assert len(distinct_rows(rare[::7], 3)) == 2
    for case in (points, rare):
        labels = nearest(case, cluster_centres(case, 3, seed=0, starts=3))
        assert len(np.unique(labels)) == 3


def test_rows_that_differ_are_found_wherever_they_are():
    points = np.zeros((1000, 2))
    points[[400, 700, 701, 999]] = [[1, 0], [2, 0], [2, 0], [3, 0]]
    assert distinct_rows(points, 9).tolist() == [0, 400, 700, 999]
    assert distinct_rows(points, 3).tolist() == [0, 400, 700]
    assert distinct_rows(points + 1e-5 * np.arange(1000)[:, None] / 1000, 1).tolist() == [0]


def test_seeds_lie_as_far_apart_as_scikit_learns():
    def left(points, rows):
        return distances(points, points[rows]).min(axis=1).sum()

    points = cloud(1500)
    mine = [left(points, one) for one in plus_plus(points, 80, np.random.default_rng(0), 8)]
    theirs = [left(points, kmeans_plusplus(points, 80, random_state=s)[1]) for s in range(8)]
    even = left(points, np.arange(0, 1500, 19))
    assert np.mean(mine) == pytest.approx(np.mean(theirs), rel=0.02)
    assert np.mean(mine) < 0.95 * even
    few = plus_plus(points[:5].repeat(9, axis=0), 8, np.random.default_rng(0), 3) // 9
    assert [set(rows.tolist()) for rows in few] == [set(range(5))] * 3
