"""The objective against loops, and where it must be small or large."""

import math

import numpy as np
import pytest

from regimetry.encoder.pretraining.objective import MOST_STATES, pretraining_loss

G, N, P, E = 3, 8, 5, 4


def distance(a, b):
    return float(np.sum((a - b) ** 2))


def asked_slowly(points, states, given):
    """Cross-entropy and hits of the windows that give no centroid, one token after the other."""
    centroids = {}
    for state in range(MOST_STATES):
        own = [
            points[n, p]
            for n in range(len(points))
            for p in range(points.shape[1])
            if given[n] and states[n, p] == state
        ]
        if len(own) >= 4:
            centroids[state] = np.mean(own, axis=0)
    entropies, hits = [], []
    for n in range(len(points)):
        for p in range(points.shape[1]):
            if given[n] or states[n, p] not in centroids:
                continue
            odds = {k: -distance(points[n, p], c) / 2 for k, c in centroids.items()}
            total = math.log(sum(math.exp(value) for value in odds.values()))
            entropies.append(total - odds[states[n, p]])
            hits.append(max(odds, key=odds.get) == states[n, p])
    return (np.mean(entropies), np.mean(hits)) if entropies else (0.0, 0.0)


def contrast_slowly(points, states):
    losses = []
    for i in range(len(points)):
        odds = {j: -distance(points[i], points[j]) / 2 for j in range(len(points)) if j != i}
        total = math.log(sum(math.exp(value) for value in odds.values()))
        alike = [odds[j] - total for j in odds if states[j] == states[i]]
        losses.append(-np.mean(alike) if alike else 0.0)
    return np.mean(losses)


def loss_slowly(embeddings, states, support):
    losses, entropies, hits = [], [], []
    for points, own, given in zip(embeddings, states, support, strict=True):
        if len(set(own.ravel())) == 1:
            tokens = points.reshape(-1, points.shape[-1])
            scatter = np.mean([distance(token, tokens.mean(axis=0)) for token in tokens])
            losses.append(0.02 * scatter)
            continue
        halves = [asked_slowly(points, own, half) for half in (given, ~given)]
        entropy, hit = np.mean(halves, axis=0)
        middle = points.shape[1] // 2
        contrast = contrast_slowly(points[:, middle], own[:, middle])
        losses.append(entropy + 0.2 * contrast)
        entropies.append(entropy)
        hits.append(hit)
    return np.mean(losses), np.mean(entropies or [0.0]), np.mean(hits or [0.0])


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def drawn(generator, n_states=3, spread=1.0):
    states = generator.integers(0, n_states, (G, N, P)).astype(np.int32)
    support = np.stack([generator.permutation(N) < N // 2 for _ in range(G)])
    points = spread * generator.standard_normal((G, N, P, E))
    return points.astype(np.float32), states, support


def found(*arguments):
    return [float(value) for value in pretraining_loss(*arguments)]


@pytest.mark.parametrize("n_states", [2, 3, 8])  # of eight, some are too rare for a centroid
def test_it_equals_loops(generator, n_states):
    points, states, support = drawn(generator, n_states)
    points += 0.5 * states[..., None]
    np.testing.assert_allclose(
        found(points, states, support), loss_slowly(points, states, support), rtol=1e-4
    )
    other = loss_slowly(points, np.roll(states, 1, axis=1), support)
    assert abs(found(points, states, support)[0] - other[0]) > 1e-2


def test_a_series_of_one_state_adds_its_scatter_alone(generator):
    points, states, support = drawn(generator)
    states[1] = 2
    loss, entropy, right = found(points, states, support)
    np.testing.assert_allclose(
        (loss, entropy, right), loss_slowly(points, states, support), rtol=1e-4
    )
    several = [0, 2]
    assert entropy == pytest.approx(
        found(points[several], states[several], support[several])[1], rel=1e-5
    )
    states[:] = 0
    wide = found(2 * points, states, support)
    assert wide[0] == pytest.approx(4 * found(points, states, support)[0], rel=1e-5)
    assert wide[1:] == [0.0, 0.0]


def test_states_far_apart_cost_nothing_and_points_without_meaning_the_logarithm(generator):
    points, _, support = drawn(generator, spread=0.01)
    places = np.arange(G)[:, None, None] + np.arange(N)[:, None] + np.arange(P)
    states = (places % 3).astype(np.int32)  # enough of each in both halves
    _, entropy, right = found(points, states, support)
    assert entropy == pytest.approx(math.log(3), abs=0.01)
    assert right < 0.6
    corners = 10 * np.eye(3, E, dtype=np.float32)
    loss, entropy, right = found(points + corners[states], states, support)
    assert entropy < 1e-6
    assert right == 1.0
    assert loss < 0.2 * math.log(N)  # the contrast of several that are alike
