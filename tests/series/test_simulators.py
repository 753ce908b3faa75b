import numpy as np
import pytest

from regimetry.errors import ConfigError
from regimetry.series.simulators import SIMULATORS, simulate


@pytest.mark.parametrize("kind", list(SIMULATORS))
def test_a_simulation_is_seeded_and_shows_every_state(kind):
    first, second, other = (simulate(kind, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_array_equal(first.states, second.states)
    assert not np.array_equal(first.values, other.values)
    assert first.values.shape == (SIMULATORS[kind][1], len(first.names))
    assert np.isfinite(first.values).all()
    n_states = first.states.max() + 1
    cut = int(0.6 * len(first.states))
    for part in (first.states[:cut], first.states[cut:]):
        assert np.bincount(part, minlength=n_states).min() >= 0.05 * len(part)


def test_volatility_states_have_their_deviation():
    s = simulate("s2", n_rows=20_000)
    for state, deviation in enumerate((0.006, 0.012, 0.025)):
        assert s.values[s.states == state].std() == pytest.approx(deviation, rel=0.05)


def test_dynamic_states_have_one_variance_and_three_coefficients():
    s = simulate("s3", n_rows=20_000)
    for state, coefficient in enumerate((0.6, 0.0, -0.6)):
        inside = (s.states[1:] == state) & (s.states[:-1] == state)
        now, before = s.values[1:][inside], s.values[:-1][inside]
        assert np.sum(now * before) / np.sum(before**2) == pytest.approx(coefficient, abs=0.05)
        assert now.std() == pytest.approx(1.0, abs=0.05)


def test_correlation_states_have_their_matrix():
    s = simulate("s4", n_rows=20_000)
    for state, expected in enumerate((0.0, 0.6, -0.6)):
        found = np.corrcoef(s.values[s.states == state].T)[0, 1]
        assert found == pytest.approx(expected, abs=0.05)


def test_garch_and_jumps_have_one_variance():
    s = simulate("s6", n_rows=50_000)
    deviations = [s.values[s.states == state].std() for state in (0, 1)]
    assert deviations == pytest.approx([0.01, 0.01], rel=0.08)


def test_bad_requests_are_named():
    with pytest.raises(ConfigError, match="'s9'; it must be one of s1, s2"):
        simulate("s9")
    with pytest.raises(ConfigError, match="n_rows is 10"):
        simulate("s2", n_rows=10)
