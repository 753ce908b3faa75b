import numpy as np
import pytest

from regimetry.errors import ConfigError
from regimetry.series.column_statistics import ar1_coefficient
from regimetry.series.simulators import NULLS, SIMULATORS, simulate
from regimetry.series.simulators.chains import (
    markov_states,
    stationary_chain,
    stationary_shares,
    uniform_jumps,
)
from regimetry.series.simulators.markets import (
    THREE_STATE_DEVIATION,
    THREE_STATE_MEAN,
    THREE_STATE_TRANSITION,
)

FIRST_VALUES = {"s1": 0.016534001817240417, "s2": 0.0030772281556725734, "s5": -0.939301762720214}


@pytest.mark.parametrize("kind", list(SIMULATORS))
def test_a_simulation_is_seeded_and_shows_every_state(kind):
    first, second, other = (simulate(kind, seed=s) for s in (1, 1, 2))
    np.testing.assert_array_equal(first.values, second.values)
    np.testing.assert_array_equal(first.states, second.states)
    assert not np.array_equal(first.values, other.values)
    assert first.values.shape == (SIMULATORS[kind][1], len(first.names))
    assert np.isfinite(first.values).all()
    cut = int(0.6 * len(first.states))
    for part in (first.states[:cut], first.states[cut:]):
        shares = np.bincount(part, minlength=first.states.max() + 1) / len(part)
        assert kind == "h3" or shares.min() >= 0.05


def test_states_differ_in_what_their_simulator_says():
    s = simulate("s2", n_rows=20_000)  # volatility
    for state, deviation in enumerate((0.006, 0.012, 0.025)):
        assert s.values[s.states == state].std() == pytest.approx(deviation, rel=0.05)
    s = simulate("s3", n_rows=20_000)  # dynamics of one variance
    for state, coefficient in enumerate((0.6, 0.0, -0.6)):
        inside = (s.states[1:] == state) & (s.states[:-1] == state)
        now, before = s.values[1:][inside], s.values[:-1][inside]
        assert np.sum(now * before) / np.sum(before**2) == pytest.approx(coefficient, abs=0.05)
        assert now.std() == pytest.approx(1.0, abs=0.05)
    s = simulate("s4", n_rows=20_000)  # correlation
    for state, expected in enumerate((0.0, 0.6, -0.6)):
        found = np.corrcoef(s.values[s.states == state].T)[0, 1]
        assert found == pytest.approx(expected, abs=0.05)
    s = simulate("s6", n_rows=50_000)  # jumps and GARCH of one variance
    deviations = [s.values[s.states == state].std() for state in (0, 1)]
    assert deviations == pytest.approx([0.01, 0.01], rel=0.08)


def test_the_first_values_are_pinned():
    """Figures of the documentation are of these very series."""
    first = {kind: float(simulate(kind, seed=0).values[0, 0]) for kind in ("s1", "s2", "s5")}
    assert first == pytest.approx(FIRST_VALUES, rel=1e-12)


def counted(states, n_states):
    counts = np.zeros((n_states, n_states))
    np.add.at(counts, (states[:-1], states[1:]), 1.0)
    return counts / counts.sum(axis=1, keepdims=True)


def test_chains_jump_as_their_matrix_says():
    generator = np.random.default_rng(0)
    stay = [0.95, 0.9, 0.8]
    found = counted(markov_states(60_000, stay, generator), 3)
    np.testing.assert_allclose(found, uniform_jumps(stay), atol=0.015)
    states = stationary_chain(60_000, THREE_STATE_TRANSITION, generator)
    np.testing.assert_allclose(counted(states, 3), THREE_STATE_TRANSITION, atol=0.004)
    share = stationary_shares(THREE_STATE_TRANSITION)
    np.testing.assert_allclose(share @ THREE_STATE_TRANSITION, share, atol=1e-12)
    uniform = np.full((3, 3), 1 / 3)
    assert all(len(np.unique(stationary_chain(3, uniform, generator))) == 3 for _ in range(50))


def test_the_three_state_market_has_its_moments_and_every_state():
    s = simulate("h3", n_rows=60_000)
    for state in range(3):
        returns = s.values[s.states == state, 0]
        assert returns.std() == pytest.approx(THREE_STATE_DEVIATION[state], rel=0.03)
        assert returns.mean() == pytest.approx(THREE_STATE_MEAN[state], abs=4e-4)
    paths = [simulate("h3", seed=seed).states for seed in range(20)]
    assert all(len(np.unique(states)) == 3 for states in paths)
    assert min(np.bincount(states).min() for states in paths) < 50  # rare, as published


@pytest.mark.parametrize("kind", sorted(set(NULLS) - {"garch"}))
def test_nulls_have_one_regime_and_the_coefficient_in_their_name(kind):
    s = simulate(kind, n_rows=40_000)
    assert not s.states.any()
    coefficient = int(kind.removeprefix("ar")) / 100 if kind.startswith("ar") else 0.0
    np.testing.assert_allclose(ar1_coefficient(s.values), coefficient, atol=0.02)
    np.testing.assert_allclose(s.values.std(axis=0), 1.0, atol=0.12)


def test_garch_alone_clusters():
    s = simulate("garch", n_rows=40_000)
    assert not s.states.any()
    assert s.values.std() == pytest.approx(0.01, rel=0.08)
    assert (ar1_coefficient(s.values**2) > 0.05).all()
    np.testing.assert_allclose(ar1_coefficient(s.values), 0.0, atol=0.03)


def test_only_vibration_tells_that_a_pump_cavitates():
    s = simulate("machine", n_rows=20_000)
    steady = np.r_[np.zeros(20, bool), (s.states[20:] == s.states[:-20])]  # its power has followed
    power, pressure, vibration, valve = (
        [column[steady & (s.states == state)] for state in range(4)] for column in s.values.T
    )
    assert [np.median(some).round(1) for some in power] == [0.4, 5.5, 9.0, 9.0]
    assert [np.median(some).round(1) for some in pressure] == [1.0, 3.2, 4.8, 4.8]
    assert [some.mean() for some in valve] == [0, 1, 1, 1]
    assert vibration[3].std() > 1.3 * vibration[2].std() > 3 * vibration[0].std()
    assert len(np.unique(s.values[:, 1])) < 60  # rounded to a tenth
    np.testing.assert_array_equal(simulate("machine", n_rows=400).states.shape, (400,))


def test_bad_requests_are_named():
    with pytest.raises(ConfigError, match="'s9'; it must be one of s1, s2"):
        simulate("s9")
    with pytest.raises(ConfigError, match="n_rows is 10"):
        simulate("s2", n_rows=10)
