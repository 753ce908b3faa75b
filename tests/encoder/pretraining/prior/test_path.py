"""Paths of states."""

import numpy as np
import pytest

from regimetry.encoder.pretraining.prior import path as paths
from regimetry.encoder.pretraining.prior.path import Path, draw_long_path, draw_path, one_state


def visits(path):
    return np.bincount(path.states[path.first_rows], minlength=path.n_states)


def stays(path):
    return np.diff(path.first_rows, append=len(path.states))


@pytest.mark.parametrize("n_rows", [256, 2048])
def test_every_state_occurs_and_none_follows_itself(n_rows):
    generator = np.random.default_rng(0)
    for _ in range(200):
        path = draw_path(generator, n_rows)
        assert path.states.shape == (n_rows,)
        assert np.bincount(path.states).min() >= 0.019 * n_rows
        assert (np.diff(path.states[path.first_rows]) != 0).all()
        assert sum(len(rows) for rows in path.rows) == n_rows
        for state, rows in enumerate(path.rows):
            assert (path.states[rows] == state).all()


def test_states_that_come_once_or_twice(monkeypatch):
    monkeypatch.setattr(paths, "_MANNERS", {"once": 1.0})
    generator = np.random.default_rng(1)
    counts = [visits(draw_path(generator, 2048)) for _ in range(200)]
    assert all(count.max() <= 2 and count.min() >= 1 for count in counts)
    assert {int(count.max()) for count in counts} == {1, 2}


def test_a_rare_state(monkeypatch):
    monkeypatch.setattr(paths, "_MANNERS", {"rare": 1.0})
    generator = np.random.default_rng(2)
    rare = set()
    for _ in range(200):
        path = draw_path(generator, 2048)
        share = np.bincount(path.states) / 2048
        assert 0.02 <= share.min() <= 0.05
        rare.add(int(share.argmin()))
    assert len(rare) > 2  # any label


def test_states_that_come_back(monkeypatch):
    monkeypatch.setattr(paths, "_MANNERS", {"often": 1.0})
    generator = np.random.default_rng(3)
    means = [stays(draw_path(generator, 2048)).mean() for _ in range(300)]
    assert min(means) < 35
    assert max(means) > 200


@pytest.mark.parametrize("n_rows", [2048, 4096])
def test_long_stays(n_rows):
    generator = np.random.default_rng(4)
    drawn = [draw_long_path(generator, n_rows) for _ in range(200)]
    lengths = [stays(path) for path in drawn]
    assert all(length.min() >= 500 and len(length) >= 2 for length in lengths)
    assert all(visits(path).min() >= 1 and path.n_states >= 2 for path in drawn)
    assert max(length.max() for length in lengths) > n_rows / 3


def test_a_finer_path():
    path = draw_path(np.random.default_rng(5), 300)
    finer = path.repeated(3)
    np.testing.assert_array_equal(finer.states[::3], path.states)
    np.testing.assert_array_equal(finer.states[2::3], path.states)
    assert path.repeated(1) is path
    assert Path(np.array([0, 0, 1, 0, 1, 1]), 2).mean_stay == 1.5
    assert one_state(9).first_rows.tolist() == [0]
