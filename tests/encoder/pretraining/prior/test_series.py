"""A drawn series: its form, its seed, and how often what kinds of series come."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from regimetry.encoder.pretraining.prior import ASPECTS, draw_series, series
from regimetry.encoder.pretraining.prior.repeats import draw_repeats
from regimetry.errors import ConfigError


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    n_rows=st.sampled_from([256, 300, 2048, 4096]),
    most_features=st.sampled_from([1, 2, 5, 8, 9, 24, 30]),
    without=st.sets(st.sampled_from(ASPECTS)),
)
def test_form(seed, n_rows, most_features, without):
    drawn = draw_series(
        np.random.default_rng(seed), n_rows, most_features=most_features, without=without
    )
    n_features = drawn.rows.shape[1]
    assert drawn.rows.shape == (n_rows, n_features)
    assert 1 <= n_features <= most_features
    assert drawn.rows.dtype == np.float32
    assert np.isfinite(drawn.rows).all()
    assert np.abs(drawn.rows).max() <= 6.0
    whole = np.abs(drawn.rows).max(axis=0) < 6.0  # channels that were not clipped
    assert np.abs(drawn.rows.mean(axis=0, dtype=np.float64)[whole]).max(initial=0.0) < 1e-4
    assert np.abs(drawn.rows.std(axis=0, dtype=np.float64)[whole] - 1.0).max(initial=0.0) < 1e-3

    assert drawn.states.shape == (n_rows,)
    assert drawn.states.dtype == np.int64
    np.testing.assert_array_equal(np.unique(drawn.states), np.arange(drawn.n_states))
    assert (drawn.n_states == 1) == (drawn.aspects == ())
    assert set(drawn.aspects) <= set(ASPECTS) - without
    assert list(drawn.aspects) == [name for name in ASPECTS if name in drawn.aspects]


def test_the_seed_decides():
    first, second, other = (np.random.default_rng(seed) for seed in (5, 5, 6))
    for _ in range(20):
        a, b, c = draw_series(first), draw_series(second), draw_series(other)
        np.testing.assert_array_equal(a.rows, b.rows)
        np.testing.assert_array_equal(a.states, b.states)
        assert a.aspects == b.aspects
        assert not np.array_equal(a.rows, c.rows)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"without": ["garch", "colour"]}, "'colour'.*level, volatility"),
        ({"without": "jump"}, "'jump'"),
        ({"n_rows": 255}, "n_rows is 255.*at least 256"),
        ({"repeats": 1.5}, "repeats is 1.5; it must be 0 to 1"),
        ({"repeats": float("nan")}, "repeats is nan"),
        ({"most_features": 0}, "most_features is 0.*at least 1"),
    ],
)
def test_what_is_refused(given, message):
    with pytest.raises(ConfigError, match=message):
        draw_series(np.random.default_rng(0), **given)


def test_the_name_of_one_aspect_may_stand_alone():
    drawn = [draw_series(np.random.default_rng(s), 256, without="level") for s in range(30)]
    assert not any("level" in d.aspects for d in drawn)


@pytest.fixture(scope="module")
def many():
    generator = np.random.default_rng(0)
    return [draw_series(generator) for _ in range(800)]


def test_every_aspect_and_every_number_of_states_occurs(many):
    for aspect in ASPECTS:
        assert sum(aspect in d.aspects for d in many) > 0.02 * len(many)
    states = np.bincount([d.n_states for d in many], minlength=7) / len(many)
    assert states[1] == pytest.approx(0.08, abs=0.04)  # one regime, and where no aspect suits
    assert (states[2:] > 0.03).all()


def test_most_series_are_narrow_and_the_widest_has_24_channels(many):
    widths = np.array([d.rows.shape[1] for d in many])
    assert np.mean(widths <= 8) == pytest.approx(0.8, abs=0.06)
    assert widths.max() == 24


def test_rare_states_and_states_that_come_once_or_twice(many):
    several = [d for d in many if d.n_states > 1]
    shares = np.array([np.bincount(d.states).min() / len(d.states) for d in several])
    assert shares.min() >= 0.019
    assert 0.05 < np.mean(shares < 0.04) < 0.2
    stays = [np.bincount(d.states[np.flatnonzero(np.diff(d.states, prepend=-1))]) for d in several]
    assert 0.15 < np.mean([s.max() <= 2 for s in stays]) < 0.4


def test_some_series_are_rounded_some_clipped_some_smooth(many):
    levels = [min(len(np.unique(channel)) for channel in d.rows.T) for d in many]
    assert 0.03 < np.mean(np.array(levels) <= 50) < 0.2
    at_the_limit = [max(np.mean(c == c.max()) for c in d.rows.T) for d in many]
    assert np.mean(np.array(at_the_limit) > 0.01) > 0.04
    steps = np.array([np.diff(d.rows, axis=0).std(axis=0).min() for d in many])
    assert np.mean(steps < 0.1) > 0.1


def test_no_series_of_details_where_none_are_asked_for(monkeypatch):
    drawn = Counter()

    def counting(*arguments):
        drawn["details"] += 1
        return draw_repeats(*arguments)

    monkeypatch.setitem(series._MAKE, "repeats", counting)
    generator = np.random.default_rng(0)
    for _ in range(200):
        draw_series(generator, 256, repeats=0.0)
    assert not drawn
    for _ in range(400):
        draw_series(generator, 256)
    assert 0.14 < drawn["details"] / 400 < 0.26
    assert series.REPEATS == 0.2
