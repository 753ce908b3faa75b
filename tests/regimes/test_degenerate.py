"""Data that a fit could stumble over: each works, without a warning, or is refused."""

import warnings

import numpy as np
import pytest
from encoders import fit_fast as fit
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from regimetry.errors import DataError, DataWarning


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


def default_fit(values, **parameters):
    """A fit with the default encoder, and what is said of it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        detector = rg.RegimeDetector(random_state=0, **parameters).fit(values)
    return detector, [str(one.message) for one in caught]


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (
            lambda: noise(15, 1),
            "15 rows are too few for windows of 10; at least 19 are needed. Give more rows or a "
            "smaller window_size",
        ),
        (
            lambda: np.full((300, 2), 7.0),
            "Column 'x0' is constant; it cannot tell regimes apart. Leave it out",
        ),
    ],
)
def test_too_short_a_series_and_equal_rows_are_refused(attempt, message):
    with pytest.raises(DataError, match=message):
        default_fit(attempt())


def test_a_window_too_long_for_the_series_finds_one_regime_and_says_what_length_would_do():
    values, _ = two_states(gap=3.0)
    detector, said = default_fit(values, window_size=40)
    assert detector.n_regimes_ == 1
    refused = [one.refused for one in detector.candidates_ if not one.chosen]
    assert set(refused) == {"the series holds 12 such windows side by side, less than 20"}
    assert said == [
        "the series shows one regime alone",
        "the series holds 12 windows of 40 side by side; 60 would say more: give 2400 rows or a "
        "smaller window_size",
    ]


def test_more_regimes_than_windows_carry_are_found_and_said():
    detector, said = default_fit(two_states()[0], window_size=10, n_regimes=20)
    assert detector.n_regimes_ == 20
    crowd = "20 regimes share 48 windows of 10 side by side, less than 3 each"
    assert [crowd in one for one in said].count(True) == 1


def test_a_channel_of_two_values_shows_the_two():
    generator = np.random.default_rng(0)
    on = np.cumsum(generator.random(1500) < 0.01) % 2
    detector, said = default_fit(on[:, None].astype(float))
    assert (detector.n_regimes_, said) == (2, [])
    found = detector.smooth(on[:, None].astype(float))
    assert adjusted_rand_score(on[found >= 0], found[found >= 0]) > 0.95


def test_states_that_are_told_apart_are_found_all_the_same():
    values, states = two_states()
    apart, _ = two_states(gap=1e3)
    for given in (values, values[:, [0, 0, 1, 1]], apart):
        labels = fit(given, n_regimes=2).labels_
        assert adjusted_rand_score(states[9:], labels[9:]) > 0.5
