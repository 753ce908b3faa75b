import numpy as np
import pytest

from regimetry.encoder.objectives.neighbours import NeighbourContrast, nt_xent
from regimetry.encoder.objectives.vicreg import NeighbourVicreg, vicreg
from regimetry.encoder.training import Windows


def slow_nt_xent(first, second, temperature):
    z = np.concatenate([first, second]).astype(float)
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    n, losses = len(first), []
    for i in range(2 * n):
        j = (i + n) % (2 * n)
        weights = [np.exp(z[i] @ z[k] / temperature) for k in range(2 * n) if k != i]
        losses.append(-np.log(np.exp(z[i] @ z[j] / temperature) / sum(weights)))
    return np.mean(losses)


def test_nt_xent_is_its_formula():
    generator = np.random.default_rng(0)
    first, second = generator.standard_normal((2, 9, 5)).astype(np.float32)
    found = float(nt_xent(first, second, 0.3))
    assert found == pytest.approx(slow_nt_xent(first, second, 0.3), rel=1e-5)
    assert float(nt_xent(first, first, 0.3)) < found
    assert found != pytest.approx(slow_nt_xent(first, second, 0.2), rel=1e-2)


def test_vicreg_is_its_formula():
    generator = np.random.default_rng(0)
    first, second = generator.standard_normal((2, 30, 4)).astype(np.float32) * 0.5
    expected = 25.0 * np.mean((first - second) ** 2)
    for half in (first, second):
        covariance = np.cov(half.T)
        hinge = np.maximum(0.0, 1.0 - np.sqrt(np.diag(covariance) + 1e-4))
        expected += 25.0 * hinge.mean() / 2.0
        expected += (np.sum(covariance**2) - np.sum(np.diag(covariance) ** 2)) / 4
    assert float(vicreg(first, second, 25.0, 25.0, 1.0)) == pytest.approx(expected, rel=1e-4)


def test_vicreg_punishes_collapse_and_copies():
    generator = np.random.default_rng(0)
    alive = generator.standard_normal((400, 4)).astype(np.float32) * 1.2
    dead = np.zeros_like(alive)
    copies = np.repeat(alive[:, :1], 4, axis=1)
    scores = [float(vicreg(x, x, 25.0, 25.0, 1.0)) for x in (alive, dead, copies)]
    assert scores[0] < 0.2
    assert scores[1] > 20
    assert scores[2] > 3


@pytest.mark.parametrize("objective", [NeighbourContrast(reach=5), NeighbourVicreg(reach=5)])
def test_the_pairs_are_at_most_their_reach_apart(objective):
    rows = np.arange(200, dtype=np.float32)
    windows = Windows([rows[:120, None, None], 5000 + rows[:80, None, None]])
    numbers = windows.with_later(objective.reach)
    batch, target = objective.batch(windows, numbers, np.random.default_rng(0), training=True)
    first, second = (np.asarray(half)[:, 0, 0] for half in np.split(batch, 2))
    assert set((second - first).astype(int)) == {1, 2, 3, 4, 5}
    assert len(target) == len(batch)
