import json
from dataclasses import replace

import numpy as np
import pytest
from mixtures import started
from scipy.stats import multivariate_normal

import regimetry as rg
from regimetry.contract import read_contract
from regimetry.errors import ModelError
from regimetry.regimes import window_statistics
from regimetry.regimes.novelty import FALSE_ALARM_RATE, fit_novelty, out_of_fold, threshold_of
from regimetry.regimes.window_statistics import VARIANCE_FLOOR, statistics_matrix
from regimetry.runtime.recursion import running_mean
from regimetry.windows import Windows, rolling_windows


def noise(n=1500, f=3, w=10, seed=0, scale=1.0):
    values = scale * np.random.default_rng(seed).standard_normal((n, f))
    return rolling_windows(values.astype(np.float32), w)


@pytest.fixture(scope="module")
def fitted():
    return fit_novelty(noise())


def statistics_of(window):
    """Log deviations, correlations of pairs, mean autocorrelations: from the definitions."""
    centred = window - window.mean(axis=0)
    deviation = np.sqrt((centred**2).mean(axis=0) + VARIANCE_FLOOR)
    root = np.sqrt((window**2).mean(axis=0) + VARIANCE_FLOOR)
    w, c = window.shape
    pairs = [
        np.mean(centred[:, i] * centred[:, j]) / deviation[i] / deviation[j]
        for i in range(c)
        for j in range(i + 1, c)
    ]
    whole = window / root
    lags = [
        np.mean([sum(whole[t, i] * whole[t + lag, i] for t in range(w - lag)) for i in range(c)])
        for lag in (1, 2, 4)
        if lag < w
    ]
    return np.concatenate([np.log(deviation), pairs, np.array(lags) / w])


@pytest.mark.parametrize(("w", "c"), [(10, 3), (2, 1), (3, 2), (30, 5)])
def test_the_statistics_are_those_of_their_definitions(w, c):
    windows = np.asarray(noise(n=60, f=c, w=w), dtype=np.float64)
    raw, mean = window_statistics.raw_statistics(windows, None)
    found = raw @ statistics_matrix(w, c)
    np.testing.assert_allclose(found, [statistics_of(window) for window in windows], atol=1e-12)
    np.testing.assert_allclose(mean, windows.mean(axis=1))
    quick = window_statistics.statistics_of(windows, None)
    np.testing.assert_allclose(quick, np.concatenate([found, mean], axis=1), atol=1e-12)


def test_novelty_is_the_density_of_the_mixture():
    windows = np.asarray(noise(), dtype=np.float64)
    found, _ = fit_novelty(windows)
    statistics = np.array([statistics_of(window) for window in windows])
    statistics = (statistics - statistics.mean(axis=0)) / statistics.std(axis=0)
    mixture = started(6, statistics, ridge=0.02, seed=0).fit(statistics)
    peak = np.logaddexp.reduce(
        [
            np.log(weight) + multivariate_normal.logpdf(mean, mean, covariance)
            for weight, mean, covariance in zip(
                mixture.weights_, mixture.means_, mixture.covariances_, strict=True
            )
        ]
    )
    expected = np.sqrt(2 * (peak - mixture.score_samples(statistics)))
    np.testing.assert_allclose(found.transform(windows), expected / np.median(expected), rtol=1e-6)


@pytest.mark.parametrize(
    "values",
    [
        lambda g: g.standard_normal((300, 3)) * 5,
        lambda g: g.standard_normal((300, 3)) * 0.02,
        lambda g: g.standard_normal((300, 1)) @ np.ones((1, 3)),
        lambda g: g.standard_normal((300, 3)) + 5,
        lambda g: np.repeat(g.choice([-1.0, 1.0], (300, 3)), 30, axis=0)[:300],
    ],
    ids=["wild", "calm", "correlated", "elsewhere", "slow"],
)
def test_what_differs_in_any_way_is_novel(fitted, values):
    novelty, threshold = fitted
    windows = rolling_windows(values(np.random.default_rng(1)), 10)
    assert np.mean(running_mean(novelty.transform(windows), 0.1) > threshold) > 0.9


def test_what_is_as_in_training_is_not(fitted):
    novelty, threshold = fitted
    found = novelty.transform(noise(n=20_000, seed=5))
    assert np.median(found) == pytest.approx(1.0, abs=0.1)
    assert np.mean(running_mean(found, 0.1) > threshold) < 3 * FALSE_ALARM_RATE


def test_the_threshold_comes_from_windows_that_the_map_has_not_seen(fitted):
    novelty, threshold = fitted
    in_sample = np.quantile(running_mean(novelty.transform(noise()), 0.1), 0.95)
    assert threshold > in_sample
    windows = Windows.of(noise())
    statistics, mean = np.split(window_statistics.statistics_of(noise(), None), [-3], axis=1)
    known = out_of_fold(statistics, mean, 10, 0) / novelty.unit
    assert threshold == threshold_of(known, windows)


def test_a_flat_window_and_a_short_series_have_finite_novelty():
    novelty, threshold = fit_novelty(noise(n=25))
    assert np.isfinite(threshold)
    assert np.isfinite(novelty.transform(np.zeros((2, 10, 3)))).all()
    assert np.isfinite(novelty.transform(np.full((2, 10, 3), 6.0))).all()


def test_many_features_are_read_through_their_principal_components():
    novelty, _ = fit_novelty(noise(f=20))
    assert novelty.channels.shape == (20, 8)
    wild = novelty.transform(noise(n=300, f=20, seed=2, scale=3.0))
    assert wild.mean() > 1.5 * novelty.transform(noise(n=300, f=20, seed=2)).mean()


def test_components_of_rounding_are_left_out():
    hidden = np.sin(np.arange(900)[:, None] / 30 + np.arange(2))
    rows = hidden @ np.random.default_rng(0).standard_normal((2, 12))
    fitted, _ = fit_novelty(rolling_windows(rows.astype(np.float32), 10))
    assert fitted.channels.shape == (12, 2)
    rows[:, 3] += 1e-3 * np.random.default_rng(1).standard_normal(900)
    fitted, _ = fit_novelty(rolling_windows(rows.astype(np.float32), 10))
    assert fitted.channels.shape == (12, 3)  # small, and no rounding


def test_a_table_of_few_slow_cycles_is_fitted():
    rows = np.sin(np.arange(3000)[:, None] / 500 + np.linspace(0, 6, 30))
    detector = rg.RegimeDetector(window_size=10, n_regimes=2, n_landmarks=150, random_state=0)
    assert detector.fit(rows).model_.contract.n_regimes == 2  # its graph equals what was fitted


def test_blocks_and_seeds_change_nothing(fitted, monkeypatch):
    novelty, threshold = fitted
    expected = novelty.transform(noise(seed=3))
    monkeypatch.setattr("regimetry.regimes.memory.BLOCK_ENTRIES", 5000)
    np.testing.assert_allclose(novelty.transform(noise(seed=3)), expected, rtol=1e-12)
    assert fit_novelty(noise())[1] == pytest.approx(threshold, rel=1e-9)


def test_stream_and_bank_flag_the_bars_that_the_batch_flags(model, values):
    spoiled = values.copy()
    spoiled[300:400, :3] *= 8
    labels = model.label(spoiled)
    assert labels.novel.dtype == bool
    assert labels.novel[330:400].all()
    assert np.mean(labels.novel[20:300]) < 0.3
    np.testing.assert_array_equal(model.novel(spoiled), labels.novel)
    stream = model.stream()
    for part in (spoiled, spoiled[:340]):  # a reset forgets the running mean
        ticks = [stream.push(row) for row in part]
        found = [tick is not None and tick.novel for tick in ticks]
        assert found == labels.novel[: len(part)].tolist()
        stream.reset()
    many = model.bank(1).push(np.zeros(len(spoiled), int), spoiled)
    rows = model.contract.window_rows
    np.testing.assert_array_equal(many.novel, labels.novel[rows - 1 :])


def test_no_future_moves_a_flag(model, values):
    whole = model.novel(values)
    np.testing.assert_array_equal(model.novel(values[:400]), whole[:400])


def test_an_older_file_flags_nothing(model):
    metadata = model.contract.to_metadata()
    for name in ("novelty_memory", "novelty_threshold"):
        data = json.loads(metadata["regimetry.contract"])
        del data[name]
        metadata["regimetry.contract"] = json.dumps(data)
    contract = read_contract(metadata, "old.onnx")
    assert (contract.novelty_memory, contract.novelty_threshold) == (1.0, None)


@pytest.mark.parametrize(
    "changes", [{"novelty_memory": 0.0}, {"novelty_memory": 2.0}, {"novelty_threshold": "1"}]
)
def test_an_impossible_threshold_is_refused(model, changes):
    contract = replace(model.contract, **changes)
    with pytest.raises(ModelError, match="novelty"):
        read_contract(contract.to_metadata(), "m.onnx")


def test_the_detector_says_the_same(detector, values):
    np.testing.assert_array_equal(detector.novel(values), detector.model_.novel(values))
