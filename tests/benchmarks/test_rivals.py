"""The rivals compute what they say, and their causal labels know no future."""

import numpy as np
import pytest

import regimetry as rg
from benchmarks.protocol import score_in_sample
from benchmarks.rivals import features, hmm, jump, kmeans, oracle, statistics
from benchmarks.rivals.filtering import best_path, filtered, smoothed
from benchmarks.rivals.head import DEFAULTS, fit_statistics, fit_windows
from benchmarks.rivals.plain_spectral import fit as fit_spectral
from benchmarks.rivals.registry import METHODS
from regimetry.series.simulators import simulate


@pytest.fixture(scope="module")
def volatility():
    return simulate("s2", n_rows=600, seed=3)


def test_filtering_agrees_with_hmmlearn(volatility):
    rows = (volatility.values / volatility.values.std(axis=0))[:300]
    model = hmm.best_start(rows, 3, seed=0)
    likelihood = hmm.log_likelihood(model, rows)
    parameters = likelihood, model.startprob_, model.transmat_
    np.testing.assert_allclose(smoothed(*parameters), model.predict_proba(rows), atol=1e-6)
    _, path = model.decode(rows, algorithm="viterbi")
    np.testing.assert_array_equal(best_path(*parameters), path)
    # What is known at bar t is what smoothing knows of the last bar of a series that ends there.
    known = filtered(*parameters)
    for end in (1, 50, 299):
        np.testing.assert_allclose(known[end - 1], model.predict_proba(rows[:end])[-1], atol=1e-6)
    assert np.abs(known - smoothed(*parameters)).max() > 0.1


@pytest.mark.parametrize(
    "fit",
    [hmm.fit, jump.fit, kmeans.fit, oracle.fit, fit_statistics, fit_windows, fit_spectral],
    ids=["hmm", "jump", "kmeans", "oracle", "statistics", "windows", "spectral"],
)
def test_causal_labels_know_no_future(fit, volatility):
    values = volatility.values
    fitted = fit("s2", values[:450], 3, 0)
    labels = fitted.causal(values)
    assert labels.shape == (len(values),)
    assert (labels[20:] >= 0).all()
    for end in (300, 520):
        np.testing.assert_array_equal(fitted.causal(values[:end]), labels[:end])
    other = values.copy()
    other[520:] *= -20.0
    np.testing.assert_array_equal(fitted.causal(other)[:520], labels[:520])
    offline = fitted.offline(values)
    assert offline.shape == labels.shape
    assert not np.array_equal(offline, labels)
    assert fitted.n_regimes == 3


def test_the_true_model_is_hard_to_beat_and_needs_the_truth():
    for kind in ("s1", "s2", "n2"):
        simulation = simulate(kind, seed=0)
        fitted = oracle.fit(kind, simulation.values, None, 0)
        offline = score_in_sample(simulation.states, fitted.offline(simulation.values))
        causal = score_in_sample(simulation.states, fitted.causal(simulation.values))
        assert offline.ari > causal.ari > 0.7
        assert set(METHODS["oracle"].kinds) >= {kind}
    wrong = oracle.fit("s4", simulation.values, None, 0)  # of N2's values
    assert score_in_sample(simulation.states, wrong.offline(simulation.values)).ari < 0.2


def test_the_hmm_reads_the_return_alone_and_chooses_by_its_criterion(monkeypatch):
    values = simulate("s1", n_rows=600, seed=0).values
    other = values.copy()
    other[:, 1:] = 7.0 + np.arange(600)[:, None]
    first, second = (hmm.fit("s1", rows, 2, 0).offline(rows) for rows in (values, other))
    np.testing.assert_array_equal(first, second)
    monkeypatch.setattr(hmm, "STARTS", 1)
    monkeypatch.setattr(hmm, "MOST_STATES", 3)
    values = np.random.default_rng(0).standard_normal((400, 1))
    assert hmm.fit("noise", values, None, 0).n_regimes == 1
    values[200:] *= 5.0
    assert hmm.fit("two", values, None, 0).n_regimes == 2


def test_window_statistics_by_hand_and_features_that_tell_frequencies_apart():
    windows = np.random.default_rng(0).standard_normal((4, 10, 3))
    found = statistics.window_statistics(windows)
    for row, window in zip(found, windows, strict=True):
        centred = window - window.mean(axis=0)
        lagged = (centred[1:] * centred[:-1]).sum(axis=0) / (centred**2).sum(axis=0)
        pairs = np.corrcoef(window.T)[np.triu_indices(3, 1)]
        expected = [*window.mean(axis=0), *np.log(window.std(axis=0)), *lagged, *pairs]
        np.testing.assert_allclose(row, expected, atol=1e-9)
    assert np.isfinite(statistics.window_statistics(np.ones((1, 10, 3)))).all()
    time = np.arange(256)[:, None] / 256
    windows = np.stack([np.sin(2 * np.pi * frequency * time) for frequency in (2, 5, 7, 100)])
    found = features.hand_features(windows)
    assert found.shape == (4, 11)
    # Only the differences, column 2, see what is fast.
    assert found[:, [3 + 2, 3 + 5, 3 + 7, 2]].argmax(axis=0).tolist() == [0, 1, 2, 3]


def test_the_methods_without_a_file_are_the_detector():
    """No file is made for speed, so the labels must be those that the file gives."""
    values = simulate("n1", n_rows=700, seed=1).values  # one channel is differenced
    detector = rg.RegimeDetector(
        window_size=10, n_regimes=3, evidence="window", random_state=4, encoder=DEFAULTS.encoder
    ).fit(values[:600])
    fitted = fit_windows("n1", values[:600], 3, 4)
    np.testing.assert_array_equal(fitted.causal(values), detector.predict(values))
    np.testing.assert_array_equal(fitted.causal(values[:600]), detector.labels_)
    known = (offline := fitted.offline(values)) >= 0  # the detector fills both ends
    np.testing.assert_array_equal(offline[known], detector.smooth(values)[known])
    assert known.mean() > 0.95
    other = fit_windows("n1", values[:600], 3, 5)
    assert not np.array_equal(other.causal(values), detector.predict(values))
