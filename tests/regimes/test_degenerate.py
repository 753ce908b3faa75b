"""Data that a fit could stumble over: each works, without a warning, or is refused."""

import numpy as np
import pytest
from encoders import fit_fast as fit
from sklearn.metrics import adjusted_rand_score

from regimetry.errors import DataError


def noise(n_rows=300, n_features=2, seed=0):
    return np.random.default_rng(seed).standard_normal((n_rows, n_features))


def two_states(n_rows=480, gap=0.0):
    """Calm and wild stretches of 60 bars, their means ``gap`` apart, and the states."""
    states = np.arange(n_rows) // 60 % 2
    return noise(n_rows) * np.array([0.2, 2.0])[states, None] + gap * states[:, None], states


def outlier():
    values, _ = two_states()
    values[217] = 1e9
    return values


WORKS = {
    "one regime": lambda: fit(noise(), n_regimes=1),
    "two different windows": lambda: fit(np.tile([[0.0, 1.0], [1.0, 0.0]], (60, 1)), n_regimes=2),
    "few different windows": lambda: fit(np.tile(noise(4), (40, 1))),
    "a disconnected affinity, K by itself": lambda: fit(two_states(gap=1e3)[0]),
    "columns that are copies": lambda: fit(two_states()[0][:, [0, 0, 1, 1]], n_regimes=2),
    "fewer windows than landmarks": lambda: fit(two_states(120)[0], n_regimes=2, n_landmarks=5000),
    "two landmarks": lambda: fit(two_states()[0], n_regimes=2, n_landmarks=2),
    "forty regimes": lambda: fit(noise(600), n_regimes=40),
    "as many regimes as windows": lambda: fit(noise(20), n_regimes=11),
    "the smallest series": lambda: fit(noise(11)),
    "a short series": lambda: fit(noise(30), n_regimes=3),
    "a series that repeats": lambda: fit(np.tile(noise(25), (10, 1)), n_regimes=3),
    "one dominating outlier, K by itself": lambda: fit(outlier()),
    "one column": lambda: fit(two_states()[0][:, :1], n_regimes=2),
    "values of very different size": lambda: fit(two_states()[0] * [1e-12, 1e12], n_regimes=2),
}


@pytest.mark.filterwarnings("ignore:no bar of training is in:regimetry.errors.DataWarning")
@pytest.mark.parametrize("name", WORKS)
def test_it_works(name):
    detector = WORKS[name]()
    labels = detector.labels_[detector.labels_ >= 0]
    assert len(labels) >= 2
    assert labels.max() < detector.n_regimes_
    assert np.isfinite(detector.embeddings_).all()
    assert np.isfinite(detector.model_.contract.sharpness)
    assert any(entry.chosen for entry in detector.candidates_)


REFUSED = {
    "more regimes than windows": (
        lambda: fit(noise(20), n_regimes=12),
        "11 windows cannot hold 12 regimes; at least 12 are needed",
    ),
    "more regimes than different windows": (
        lambda: fit(np.tile([[0.0, 1.0], [1.0, 0.0]], (60, 1)), n_regimes=3),
        "Only 2 of the windows differ from each other; 3 regimes need as many",
    ),
    "more regimes than landmarks": (
        lambda: fit(noise(), n_regimes=40, n_landmarks=30),
        "40 regimes need as many landmarks; n_landmarks is 30",
    ),
    "fewer rows than two windows": (lambda: fit(noise(10)), "10 rows are too few for windows"),
    "a constant column": (lambda: fit(noise() * [1, 0]), "'x1' is constant"),
    "a straight line": (
        lambda: fit(np.column_stack([noise()[:, 0], np.arange(300.0)])),
        "'x1' is constant once differenced",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_in_a_sentence(name):
    attempt, message = REFUSED[name]
    with pytest.raises(DataError, match=message):
        attempt()


def test_states_that_are_told_apart_are_found_all_the_same():
    values, states = two_states()
    apart, _ = two_states(gap=1e3)
    for given in (values, values[:, [0, 0, 1, 1]], apart):
        labels = fit(given, n_regimes=2).labels_
        assert adjusted_rand_score(states[9:], labels[9:]) > 0.5
