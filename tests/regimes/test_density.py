"""The density of rows whose scales move: kernel, moments, gradient, fit, evidence."""

from dataclasses import replace

import numpy as np
import oracles
import pytest
from densities import row_density
from hypothesis import given
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from scipy.integrate import quad
from scipy.special import logit
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from regimetry._core import scale_densities, scale_gradient
from regimetry.errors import DataError
from regimetry.regimes.density.fit import MOST_ROWS, constant_density, moving_density, spread
from regimetry.regimes.density.likelihood import Posterior
from regimetry.regimes.density.moving import MOST_ROWS as WINDOW_ROWS
from regimetry.regimes.density.moving import MovingEmission
from regimetry.regimes.density.parameters import Layout
from regimetry.regimes.evidence.em import Bars, expectation_maximisation
from regimetry.regimes.evidence.refine import DISCOUNTS, causal_price, price_of_change
from regimetry.runtime.recursion import jump_labels
from regimetry.runtime.simulate_rows import Start, draw


def bars(values, order=0):
    """The rows (T, C) of one series as a fit takes them."""
    now = values[order:]
    parts = [np.ones((len(now), 1))]
    parts += [values[order - back : len(values) - back] for back in range(1, order + 1)]
    return Bars(now, np.hstack(parts), np.arange(len(now)) == 0)


def residuals(density, rows, seed=0):
    shape = (rows, density.n_regimes, density.n_channels)
    return np.random.default_rng(seed).standard_normal(shape)


@given(
    n_regimes=st.integers(1, 4),
    n_channels=st.integers(1, 3),
    rows=st.integers(0, 30),
    cut=st.integers(0, 30),
    seed=st.integers(0, 99),
)
def test_the_kernel_is_the_formula_and_goes_on_where_it_stopped(
    n_regimes, n_channels, rows, cut, seed
):
    density = row_density(
        n_regimes=n_regimes, n_channels=n_channels, skew=(0.8, 1.2, 1.0), seed=seed
    )
    e, cut = residuals(density, rows, seed), min(cut, rows)
    logs, after = density.densities(e, density.begin[None])
    expected = oracles.scale_densities(e, density, density.begin)
    if rows:
        np.testing.assert_allclose(logs, expected[0], rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(after, expected[1], rtol=1e-12)
    # Two series, and a series in two calls.
    both, _ = density.densities(e, np.stack([density.begin] * 2), np.array([0, cut, rows]))
    np.testing.assert_array_equal(both[:cut], logs[:cut])
    if 0 < cut < rows:
        rest, _ = density.densities(np.ascontiguousarray(e[cut:]), after[cut - 1 : cut])
        np.testing.assert_array_equal(rest, logs[cut:])
        assert np.abs(both[cut:] - logs[cut:]).max() > 1e-6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"residuals": np.zeros((3, 2))}, "residuals has 2 dimension"),
        ({"residuals": np.zeros((3, 3, 2), np.float32)}, "dtype float32; expected float64"),
        ({"residuals": np.zeros((3, 3, 4))[:, :, ::2]}, "not dense"),
        ({"residuals": np.full((3, 3, 2), np.nan)}, "row 0 has no finite density in regime 0"),
        ({"parameters": np.ones((3, 5))}, "parameters has shape"),
        ({"skew": np.ones(3)}, "skew has shape"),
        ({"scales": np.ones((1, 3, 2))}, "scales has shape"),
        ({"offsets": np.array([0, 2])}, "offsets run from 0 to 2"),
    ],
)
def test_the_kernel_refuses(change, message):
    density = row_density()
    arguments = {
        "residuals": np.zeros((3, 3, 2)),
        "parameters": density.table,
        "constants": density.constants,
        "skew": density.skew,
        "scales": density.begin[None],
        "offsets": np.array([0, 3]),
    }
    scale_densities(**arguments)
    with pytest.raises(DataError, match=message):
        scale_densities(**{**arguments, **change})
    with pytest.raises(TypeError, match="expected a numpy array"):
        scale_densities(**{**arguments, "skew": [1.0, 1.0]})


def test_the_kernels_gradient_is_that_of_differences():
    density = row_density()
    e, weights = residuals(density, 40), np.random.default_rng(1).random((40, 3))
    offsets = np.array([0, 15, 40])
    begin = np.stack([density.begin, 1.5 * density.begin])

    def value(e, table, skew, begin):
        logs, _ = scale_densities(e, table, density.constants, skew, begin, offsets)
        return float(np.sum(weights * logs))

    arguments = [e, density.table, density.skew, begin]
    _, after = scale_densities(e, density.table, density.constants, density.skew, begin, offsets)
    found = scale_gradient(
        e, weights, density.table, density.constants, density.skew, begin, after, offsets
    )
    for place, (array, gradient) in enumerate(zip(arguments, found, strict=True)):
        for at in np.ndindex(array.shape):
            if place == 1 and at[1] == 1:  # above the diagonal, which is not read
                continue
            high, low = array.copy(), array.copy()
            high[at] += 1e-6
            low[at] -= 1e-6
            ends = [value(*arguments[:place], end, *arguments[place + 1 :]) for end in (high, low)]
            assert gradient[at] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("skew", [0.7, 1.0, 1.3])
def test_a_density_integrates_to_one_and_has_its_moments(skew):
    density = row_density(0, n_regimes=1, n_channels=1, skew=(skew,))
    begin, root = density.begin[None], np.sqrt(density.total(density.begin)[0, 0])

    def moment(power):
        def integrand(e):
            logs, _ = density.densities(np.full((1, 1, 1), e), begin)
            return e**power * np.exp(logs[0, 0])

        return quad(integrand, -60, 0)[0] + quad(integrand, 0, 60)[0]

    mean, covariance = density.unit_moments
    assert moment(0) == pytest.approx(1.0, abs=1e-5)
    assert moment(1) == pytest.approx(root * mean[0, 0], abs=1e-3)
    variance = moment(2) - moment(1) ** 2
    assert variance == pytest.approx(root**2 * covariance[0, 0, 0], rel=0.01)


def test_draws_have_the_moments_of_the_density():
    density = replace(row_density(0), freedom=np.array([8.0, 9.0, 10.0]))
    start = Start(np.zeros((0, 2)), density.begin, np.array([0.0, 1.0, 0.0]))
    rows, regimes = draw(
        density, np.eye(3), start, horizon=1, paths=200_000, rng=np.random.default_rng(0)
    )
    assert (regimes == 1).all()
    mean, covariance = density.unit_moments
    root = np.sqrt(density.total(density.begin)[1])
    centre = density.coefficients[1, 0] + root * mean[1]
    np.testing.assert_allclose(rows[:, 0].mean(axis=0), centre, atol=0.01)
    expected = covariance[1] * np.outer(root, root)
    np.testing.assert_allclose(np.cov(rows[:, 0].T), expected, atol=0.03)
    assert abs(expected[0, 1]) > 0.03


@pytest.mark.parametrize("given_weights", [False, True])
def test_the_posteriors_gradient_is_that_of_differences(given_weights):
    values = np.random.default_rng(0).standard_t(5, (120, 2))
    rows = replace(bars(values, 1), begins=np.isin(np.arange(119), [0, 60]))
    weights = np.random.default_rng(1).random((119, 2)) if given_weights else None
    layout = Layout(2, 2, 3, np.array([True, False]), None if given_weights else 3.0)
    posterior = Posterior(layout, rows, weights, np.tile([1.0, 1.0, 0.0, 0.0], (2, 1)))
    vector = 0.3 * np.random.default_rng(2).standard_normal(layout.size)
    _, gradient = posterior(vector)
    for at, step in enumerate(1e-6 * np.eye(layout.size)):
        ends = posterior(vector + step)[0], posterior(vector - step)[0]
        assert gradient[at] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-4)
    assert posterior.log_likelihood(vector) == pytest.approx(
        layout.prior(vector)[0] - posterior(vector)[0]
    )


def test_a_step_too_far_is_finite_and_the_prior_pulls_back():
    layout = Layout(2, 2, 3, np.array([True, False]), 3.0)
    rows = bars(np.random.default_rng(0).standard_normal((120, 2)), 1)
    posterior = Posterior(layout, rows, None, np.tile([1.0, 1.0, 0.0, 0.0], (2, 1)))
    for far in (-1e5, 1e5):
        vector = np.zeros(layout.size)
        for name, part in layout.unpack(vector).items():
            if name in ("levels", "freedom", "skew", "shock", "memory", "leverage", "fall_memory"):
                part[:] = far
        value, gradient = posterior(vector)
        assert np.isfinite(value)
        np.testing.assert_array_equal(gradient[vector != 0], layout.prior(vector)[1][vector != 0])


def test_ramps_that_stop_are_fitted():
    """Their rest has no scale of its own: steps of the search go far."""
    ramp = np.arange(1000.0)
    values = np.column_stack([np.minimum(ramp, 500), np.maximum(ramp, 500)])
    detector = rg.RegimeDetector(window_size=20, n_regimes=3, random_state=0).fit(values)
    assert len(set(detector.model_.smooth(values)[20:480]) & set(detector.labels_[540:])) == 0


def test_a_regime_without_rows_has_the_scales_of_all_of_them():
    layout = Layout(2, 1, 2, np.array([False]), None)
    rows = bars(np.random.default_rng(0).standard_normal((120, 1)), 1)
    weights = np.tile([1.0, 0.0], (119, 1))
    posterior = Posterior(layout, rows, weights, np.tile([1.0, 0.0], (2, 1)))
    density, stay = layout.density(np.zeros(layout.size), posterior.begin)
    mean, typical = posterior.mean_scales(density, stay)
    np.testing.assert_allclose(typical[1], density.total(mean)[1])
    assert (typical > 0.1).all()


def garch(rows, seed=0):
    rng, scale, values = np.random.default_rng(seed), 1.0, []
    for shock in rng.standard_normal(rows):
        values.append(np.sqrt(scale) * shock)
        scale = 0.05 + 0.15 * values[-1] ** 2 + 0.8 * scale
    return np.array(values)[:, None]


def pair(values, n_regimes=1, labels=None):
    rows = bars(values)
    known = np.zeros(len(values), int) if labels is None else labels
    weights = (known[:, None] == np.arange(n_regimes)).astype(float)
    channels = tuple(range(values.shape[1]))
    best = expectation_maximisation(rows, weights, channels, heavy=True, fixed=n_regimes == 1)
    given = weights if n_regimes == 1 else None
    return (
        constant_density(rows, best.emission, best.stay, best.parameters, given),
        moving_density(rows, best.emission, best.stay, np.zeros(len(channels), bool), given),
    )


def test_a_moving_scale_is_found_where_there_is_one():
    constant, moving = pair(garch(3000))
    assert moving.criterion > constant.criterion + 50
    assert moving.density.shock[0] == pytest.approx(0.15, abs=0.05)
    assert moving.density.memory[0] == pytest.approx(0.8, abs=0.08)
    constant, moving = pair(np.random.default_rng(0).standard_normal((2000, 1)))
    assert constant.criterion > moving.criterion


def test_constant_scales_win_where_regimes_have_them():
    series = rg.simulate("s2", seed=0)
    values = (series.values - series.values.mean(axis=0)) / series.values.std(axis=0)
    constant, moving = pair(values, 3, series.states)
    assert constant.criterion > moving.criterion
    assert moving.log_likelihood > constant.log_likelihood - 20


def test_long_series_are_read_in_stretches():
    values = np.random.default_rng(0).standard_normal((3 * MOST_ROWS, 1))
    some, weights = spread(bars(values), np.ones((len(values), 2)))
    assert len(some.now) == len(weights) == MOST_ROWS
    assert some.begins.sum() == MOST_ROWS // 1000
    short = bars(values[:50])
    assert spread(short)[0] is short


@pytest.mark.parametrize("order", [0, 2])
@pytest.mark.parametrize("size", [4, 30, WINDOW_ROWS + 20])
def test_costs_of_windows_are_those_of_their_rows(order, size):
    density = row_density(order, skew=(0.8, 1.2))
    emission = MovingEmission((0, 2), density)
    series = np.random.default_rng(0).standard_normal((120, 3))
    windows = sliding_window_view(series, size, axis=0).transpose(0, 2, 1)
    found = emission.costs(windows)
    # Plain squares: the twin's weights are 1 where tails are those of the normal distribution.
    read = windows[-1][-(emission.rows(size) + order) :, [0, 2]]
    e = density.residuals(bars(read, order).before, bars(read, order).now)
    scales = density.begin.copy()
    for row in e[:-1]:
        below = density.leverage * (row < 0) * row**2
        scales[:, 2:] = below + density.fall_memory[:, None] * scales[:, 2:]
        moved = density.shock[:, None] * row**2 + density.memory[:, None] * scales[:, :2]
        scales[:, :2] = density.omega + moved
    logs, _ = oracles.scale_densities(e[-1:], density, scales)
    np.testing.assert_allclose(found[-1], logs[0].max() - logs[0], atol=1e-9)
    np.testing.assert_array_equal(found.min(axis=1), 0)
    turned = emission.reordered(np.array([2, 0, 1])).costs(windows)
    np.testing.assert_array_equal(turned, found[:, [2, 0, 1]])


def test_evidence_has_a_least_scale():
    density = row_density(0, skew=(1.0, 1.0))
    still = replace(density, omega=1e-9 * density.omega, begin=1e-9 * density.begin)
    emission = MovingEmission((0, 1), still)
    windows = (
        1e-3 * np.random.default_rng(0).standard_normal((50, 8, 2)) + density.coefficients[0, 0]
    )
    costs = emission.costs(windows)
    assert np.isfinite(costs).all()
    moved = emission.costs(windows + 1e-7)  # what 32 bits cannot tell
    assert np.abs(moved - costs).max() < 1e-3


def test_the_causal_price_is_where_the_labels_are_most_probable_by_the_filter():
    rng = np.random.default_rng(0)
    states = np.arange(1500) // 150 % 2
    costs = np.where(states[:, None] == np.arange(2), 0.0, 0.8) + rng.standard_normal((1500, 2))
    costs -= costs.min(axis=1, keepdims=True)
    offsets, stay = np.array([0, 1500]), 0.99
    _, after = oracles.chain_filter(-costs, stay)

    def agreement(price):
        return after[np.arange(1500), jump_labels(costs, price, offsets)].mean()

    price, full = causal_price(costs, stay, offsets), price_of_change(stay, 2)
    assert agreement(price) > max(agreement(full - one) for one in DISCOUNTS) - 0.005
    assert agreement(price) > agreement(full)


def test_the_kernel_and_evidence_find_garch_beside_jumps():
    """S6: the scale of one regime moves, that of the other does not; levels are the same."""
    series = rg.simulate("s6", seed=0)
    detector = rg.RegimeDetector(window_size=10, n_regimes=2, random_state=0).fit(series.values)
    contract = detector.model_.contract
    assert contract.evidence == "bar"
    assert contract.density.weights == "density"
    assert min(contract.density.memory) > 0
    smooth = detector.smooth(series.values)
    assert adjusted_rand_score(series.states[60:-60], smooth[60:-60]) > 0.45
    causal = detector.predict(series.values)
    assert adjusted_rand_score(series.states[60:], causal[60:]) > 0.35
    assert logit(contract.density.stay) == pytest.approx(logit(0.99), abs=0.7)
