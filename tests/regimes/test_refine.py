"""Evidence of single bars: the density, its fit, its channels, and when it is dropped."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from regimetry.regimes.evidence.channels import own_channels
from regimetry.regimes.evidence.em import NORMAL
from regimetry.regimes.evidence.emission import HIGHEST_COST, Emission
from regimetry.regimes.evidence.newest import NewestBars
from regimetry.regimes.evidence.refine import refine
from regimetry.runtime.recursion import jump_path
from regimetry.windows import Windows, rolling_windows

W = 10


@pytest.fixture
def emission():
    """Two regimes of order 2 over channels 0 and 2 of three features."""
    generator = np.random.default_rng(0)
    covariance = np.array([[[1.0, 0.3], [0.3, 0.5]], [[2.0, -0.4], [-0.4, 1.0]]])
    return Emission(
        channels=(0, 2),
        coefficients=0.3 * generator.standard_normal((2, 5, 2)),
        factors=np.linalg.cholesky(np.linalg.inv(covariance)),
        degrees_of_freedom=np.array([5.0, NORMAL]),
    )


def log_likelihood(emission, rows):
    """Of each of rows (T, 3) from the third on, given the two before it."""
    bars = rows[:, list(emission.channels)]
    before = np.column_stack([np.ones(len(bars) - 2), bars[1:-1], bars[:-2]])
    return emission.density(before, bars[2:])


def test_the_density_is_scipys(emission):
    rows = np.random.default_rng(1).standard_normal((40, 3))
    found = log_likelihood(emission, rows)
    for k in range(2):
        precision = emission.factors[k] @ emission.factors[k].T
        for row in (2, 17, 39):
            before = np.concatenate([[1.0], rows[row - 1, [0, 2]], rows[row - 2, [0, 2]]])
            density = stats.multivariate_t(
                loc=before @ emission.coefficients[k],
                shape=np.linalg.inv(precision),
                df=emission.degrees_of_freedom[k],
            )
            assert found[row - 2, k] == pytest.approx(density.logpdf(rows[row, [0, 2]]))


def test_costs_are_differences_of_the_density_with_a_limit(emission):
    rows = np.random.default_rng(1).standard_normal((400, 3))
    rows[300] *= 40
    windows = rolling_windows(rows, W)
    density = log_likelihood(emission, rows)[W - 1 - emission.order :]
    expected = np.minimum(density.max(axis=1)[:, None] - density, HIGHEST_COST)
    np.testing.assert_allclose(emission.costs(windows), expected, atol=1e-9)
    assert (expected == HIGHEST_COST).any()
    assert (emission.costs(windows).min(axis=1) == 0).all()


def test_reordered_regimes_keep_their_costs(emission):
    windows = rolling_windows(np.random.default_rng(1).standard_normal((60, 3)), W)
    found = emission.reordered(np.array([1, 0])).costs(windows)
    np.testing.assert_array_equal(found, emission.costs(windows)[:, ::-1])


def standardised(kind, seed=0):
    simulation = rg.simulate(kind, seed=seed)
    values = simulation.values
    return (values - values.mean(axis=0)) / values.std(axis=0), simulation.states


def looks(rows):
    """Places of windows by what they are like: products of the channels, with the bar after too."""
    windows = rolling_windows(rows, W).astype(np.float64)
    same = np.einsum("nwi,nwj->nij", windows, windows) / W
    after = np.einsum("nwi,nwj->nij", windows[:, 1:], windows[:, :-1]) / W
    return np.stack([same, after], axis=1).reshape(len(windows), -1)


def fitted(rows, labels, n_regimes, points=None):
    windows = Windows.of(rolling_windows(rows, W))
    newest = NewestBars.of(windows, labels, n_regimes, (False,) * rows.shape[1])
    return refine(newest, windows, looks(rows) if points is None else points)


def blurred(states, seed=0):
    """Labels as windows give them: at centres, and wrong around every change."""
    centres = states[W // 2 : len(states) - W + 1 + W // 2].copy()
    for change in np.flatnonzero(np.diff(centres)):
        shift = np.random.default_rng(seed + change).integers(-15, 16)
        first, last = sorted((change, max(0, change + shift)))
        centres[first : last + 1] = centres[change] if shift > 0 else centres[change + 1]
    return centres


@pytest.mark.parametrize(("kind", "order"), [("s2", 0), ("s3", 1), ("s4", 0)])
def test_it_finds_the_order_and_sharpens_the_labels(kind, order):
    rows, states = standardised(kind)
    labels = blurred(states)
    found = fitted(rows, labels, 3)
    assert found.emission.order == order
    assert found.explains_enough
    assert 0.98 < found.stay < 0.995
    assert found.penalty == pytest.approx(np.log(found.stay / (1 - found.stay) * 2))
    path = jump_path(found.emission.costs(rolling_windows(rows, W)), found.penalty)
    refined = adjusted_rand_score(states[W - 1 :], path)
    assert refined > 0.85
    assert refined > adjusted_rand_score(states[W // 2 : W // 2 + len(labels)], labels)


def test_heavy_tails_are_found_where_they_are():
    generator = np.random.default_rng(0)
    states = np.arange(2000) // 200 % 2
    normal = generator.standard_normal((2000, 2))
    heavy = generator.standard_t(3, (2000, 2))
    rows = np.where(states[:, None] == 1, 3 + heavy, normal)
    freedom = fitted(rows, states[5 : 5 + 1991], 2).emission.degrees_of_freedom
    assert freedom[1] < 8 < freedom[0]
    only = fitted(normal + 3 * states[:, None], states[5 : 5 + 1991], 2)
    assert (only.emission.degrees_of_freedom == NORMAL).all()


def test_a_refinement_that_explains_less_is_dropped():
    """Bars fall into calm and wild ones; the windows saw a level, of which no bar says anything."""
    rows, states = standardised("s2")
    level = np.arange(len(states) - W + 1) // 200 % 3
    found = fitted(rows, level, 3, level[:, None].astype(float))
    assert found.agreement < 0.2
    assert found.correlation_ratio < 0.1
    assert found.correlation_ratio_of_windows > 0.8
    assert not found.explains_enough


def test_a_refinement_of_poor_labels_that_explains_more_is_kept():
    rows, states = standardised("s2")
    poor = blurred(states)
    drawn = np.random.default_rng(0).random(len(poor)) < 0.5
    poor[drawn] = np.random.default_rng(1).integers(0, 3, drawn.sum())
    found = fitted(rows, poor, 3)
    assert found.agreement < 0.5
    assert found.correlation_ratio > found.correlation_ratio_of_windows
    assert found.explains_enough


def test_where_little_is_explained_the_two_have_to_agree():
    rows, states = standardised("s2")
    found = fitted(rows, blurred(states), 3)
    kept = replace(found, correlation_ratio=0.11, correlation_ratio_of_windows=0.10, agreement=0.6)
    assert kept.explains_enough
    assert not replace(kept, agreement=0.4).explains_enough
    assert not replace(kept, agreement=0.4, gain=-1.0).explains_enough
    alone = replace(kept, agreement=0.4, gain=1.0)  # bars alone speak for them
    assert alone.explains_enough
    assert not replace(alone, correlation_ratio_of_windows=0.3).explains_enough
    assert replace(kept, agreement=0.4, correlation_ratio=0.21).explains_enough
    assert not replace(kept, correlation_ratio=0.08).explains_enough


def test_trailing_statistics_of_a_channel_are_no_evidence_of_their_own():
    rows, _ = standardised("s1")
    assert own_channels(Windows.of(rolling_windows(rows, W))) == (0,)


def test_channels_that_say_something_new_stay():
    for kind, count in (("s2", 3), ("s4", 4), ("n2", 4)):
        rows, _ = standardised(kind)
        assert own_channels(Windows.of(rolling_windows(rows, W))) == tuple(range(count))


def test_of_two_copies_one_is_taken():
    noise = np.random.default_rng(0).standard_normal((800, 2))
    rows = np.column_stack([noise, noise[:, 0], -2 * noise[:, 1]])
    assert len(own_channels(Windows.of(rolling_windows(rows, W)))) == 2
    states = np.arange(800) // 100 % 2
    found = fitted(rows * (1 + 2 * states[:, None]), states[5 : 5 + 791], 2)
    assert found.explains_enough


def test_a_wide_series_is_read_in_few_channels():
    rows = np.random.default_rng(0).standard_normal((400, 20))
    assert len(own_channels(Windows.of(rolling_windows(rows, W)))) == 8


def test_a_regime_without_a_bar_is_no_trouble():
    rows, states = standardised("s2")
    found = fitted(rows, np.minimum(blurred(states), 1), 4)
    assert np.isfinite(found.emission.costs(rolling_windows(rows, W))).all()
