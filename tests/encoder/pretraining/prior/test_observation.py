"""What is made of a process before it is a series."""

import numpy as np
import pytest

from regimetry.encoder.pretraining.prior import indicators, sensors
from regimetry.encoder.pretraining.prior.nuisance import draw_nuisance
from regimetry.encoder.pretraining.prior.observation import centred, observe
from regimetry.encoder.pretraining.prior.one_regime import draw_one_regime
from regimetry.encoder.pretraining.prior.width import draw_widths
from regimetry.series.simulators.processes import trailing


@pytest.fixture
def generator():
    return np.random.default_rng(0)


@pytest.mark.parametrize("size", [3, 14])
def test_trailing_statistics(generator, size):
    channel = generator.standard_normal(200)
    for fast, slow in (
        (indicators.trailing_mean, np.mean),
        (indicators.trailing_deviation, np.std),
    ):
        expected = trailing(channel, size, slow)[size - 1 :]
        np.testing.assert_allclose(fast(channel, size)[size - 1 :], expected, atol=1e-7)
        assert np.abs(fast(channel, size + 1)[size - 1 :] - expected).max() > 0.01


@pytest.mark.parametrize("name", indicators._NAMES)
def test_an_indicator_knows_nothing_of_what_comes(generator, name):
    channel = generator.standard_normal(200)
    changed = channel.copy()
    changed[150:] += 1.0
    before, after = (indicators._indicator(c, name, 9) for c in (channel, changed))
    np.testing.assert_array_equal(before[:150], after[:150])
    assert not np.array_equal(before[150:], after[150:])


def test_market_features_are_of_two_windows(generator):
    values = generator.standard_normal((400, 1))
    features = indicators.draw_market_features(generator, values)
    assert features.shape == (400, 3)
    rough = np.diff(features[50:], axis=0).std(axis=0)
    assert rough[0] > rough[1]  # the short window moves more
    assert (features[:, :2] >= 0.0).all()


def test_a_rounded_channel_has_few_levels(generator):
    channel = generator.standard_normal(3000)
    counts = [len(np.unique(sensors.quantise(generator, channel))) for _ in range(50)]
    assert min(counts) >= 2
    assert max(counts) <= 50
    assert len(set(counts)) > 10
    np.testing.assert_array_equal(sensors.quantise(generator, np.zeros(9)), np.zeros(9))


def test_a_clipped_channel_stays_at_its_limits(generator):
    channel = generator.standard_normal(3000)
    for _ in range(30):
        clipped = sensors.limit(generator, channel)
        low, high = np.mean(clipped == clipped.min()), np.mean(clipped == clipped.max())
        assert 0.005 < max(low, high) < 0.17
        inside = (clipped > clipped.min()) & (clipped < clipped.max())
        np.testing.assert_array_equal(clipped[inside], channel[inside])


def test_a_late_channel_keeps_its_last_value(generator):
    channel = np.arange(60.0)
    held = sensors.hold(generator, channel)
    every = int(np.unique(held)[1])
    assert 2 <= every <= 10
    np.testing.assert_array_equal(held, channel // every * every)


def test_outliers_are_rare_and_large(generator):
    values = generator.standard_normal((50_000, 2))
    off = sensors.add_outliers(generator, values) - values
    assert np.mean(off != 0.0) == pytest.approx(0.002, rel=0.25)
    assert off[off != 0.0].std() == pytest.approx(8.0, rel=0.2)


def test_curved_scales_keep_the_order(generator):
    values = np.sort(generator.standard_normal((100, 1)), axis=0)
    for _ in range(6):
        assert (np.diff(sensors.curve(generator, values), axis=0) > 0.0).all()


def test_a_mixture_has_something_of_a_channel(generator):
    mixed = sensors.mix(generator, generator.standard_normal((100, 3)), 20)
    assert mixed.shape == (100, 20)
    assert (mixed.std(axis=0) > 0.0).all()


def test_centred_channels():
    values = np.array([[1.0, 5.0], [3.0, 5.0]])
    assert centred(values).tolist() == [[-1.0, 0.0], [1.0, 0.0]]


def test_nuisance_is_no_wider_than_asked(generator):
    assert draw_nuisance(generator, 300, 5, frozenset()).shape == (300, 5)
    white = draw_nuisance(generator, 40_000, 2, frozenset())
    np.testing.assert_allclose(np.cov(white.T), np.eye(2), atol=0.03)


def test_an_observation_is_as_wide_as_it_may_be(generator):
    values = generator.standard_normal((300, 3))
    everything = frozenset({"correlation", "dynamics", "garch", "waveform", "tails", "jumps"})
    widths = [observe(generator, values, 8, everything, noisy=0.3).shape[1] for _ in range(200)]
    assert min(widths) == 3
    assert 3 < max(widths) <= 8
    for allowed in (everything, frozenset[str]()):  # a wide series is filled up
        widths = [observe(generator, values, 20, allowed, noisy=0.3).shape[1] for _ in range(50)]
        assert set(widths) == {20}


def test_widths(generator):
    drawn = np.array([draw_widths(generator, 24) for _ in range(3000)])
    assert (drawn[:, 0] <= drawn[:, 1]).all()
    assert np.mean(drawn[:, 1] <= 8) == pytest.approx(0.8, abs=0.03)
    assert drawn.max() == 24
    for most in (1, 2, 7):
        assert np.array([draw_widths(generator, most) for _ in range(100)]).max() == most


def test_one_regime_is_one_from_first_to_last(generator):
    """Over many draws of noise, AR and GARCH, the first and the last half have one deviation."""
    allowed = frozenset({"tails", "jumps", "garch", "correlation"})
    ratios = []
    for _ in range(100):
        values = draw_one_regime(generator, 2000, 1, allowed)
        ratios.append(np.log(values[:1000].std() / values[1000:].std()))
    assert np.median(np.abs(ratios)) < 0.1


def test_one_regime_may_wander_far(generator):
    persistent = []
    for _ in range(150):
        values = draw_one_regime(generator, 2000, 1, frozenset({"dynamics"}))[:, 0]
        persistent.append(np.corrcoef(values[1:], values[:-1])[0, 1])
    assert 0.05 < np.mean(np.array(persistent) > 0.99) < 0.6
    assert np.mean(np.abs(persistent) < 0.1) > 0.1
