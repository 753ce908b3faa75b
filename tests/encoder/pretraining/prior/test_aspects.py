"""Each aspect does what its name says, and leaves mean and variance as they are."""

import numpy as np
import pytest

from regimetry.encoder.pretraining.prior import (
    ASPECTS,
    clustering,
    correlation,
    dynamics,
    jumps,
    tails,
)
from regimetry.encoder.pretraining.prior.aspects import choose_aspects
from regimetry.encoder.pretraining.prior.bursts import draw_bursts
from regimetry.encoder.pretraining.prior.chaos import MAPS, _orbits, draw_chaos
from regimetry.encoder.pretraining.prior.level import draw_levels
from regimetry.encoder.pretraining.prior.noise import draw_random_process
from regimetry.encoder.pretraining.prior.path import Path, one_state
from regimetry.encoder.pretraining.prior.volatility import draw_volatilities

T = 40_000


@pytest.fixture
def generator():
    return np.random.default_rng(0)


def kurtosis(values):
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    return (values**4).mean(axis=0)


def lagged(values, lag=1):
    return float(np.corrcoef(values[lag:], values[:-lag])[0, 1])


@pytest.mark.parametrize(
    ("law", "skew", "fourth"),
    [
        (tails.NORMAL, 0.0, 3.0),
        (tails.Tails("student", 8.0), 0.0, 4.5),
        (tails.Tails("laplace"), 0.0, 6.0),
        (tails.Tails("skewed", 4.0, -1.0), -1.0, 4.5),
        (tails.Tails("uniform"), 0.0, 1.8),
        (tails.Tails("two_point"), 0.0, (1 + 6 * 0.09 + 3 * 0.09**2) / 1.09**2),
    ],
)
def test_distributions_of_noise(generator, law, skew, fourth):
    noise = tails.draw_noise(generator, law, 10 * T, 1)[:, 0]
    assert noise.mean() == pytest.approx(0.0, abs=0.01)
    assert noise.std() == pytest.approx(1.0, abs=0.02)
    assert (noise**3).mean() == pytest.approx(skew, abs=0.12)
    assert kurtosis(noise) == pytest.approx(fourth, rel=0.1)


def test_common_tails_come_to_all_channels_at_once(generator):
    for common in (False, True):
        noise = tails.draw_noise(generator, tails.Tails("student", 5.0, common=common), T, 2)
        together = np.corrcoef(np.abs(noise).T)[0, 1]
        assert (together > 0.1) == common


def test_no_two_laws_are_the_same(generator):
    def differ(rows):
        return len(np.unique(rows, axis=0)) == len(rows)

    for n_laws in (2, 3, 6) * 20:
        laws = tails.draw_tails(generator, n_laws)
        assert len({law.family for law in laws}) > 1
        assert len({(law.family, law.shape) for law in laws}) == n_laws
        jump = jumps.draw_jumps(generator, n_laws)
        assert differ(np.stack([jump.rate, jump.part], axis=1))
        assert differ(np.concatenate(dynamics.draw_coefficients(generator, n_laws, 2), axis=1))
        law = clustering.draw_clustering(generator, n_laws)
        assert differ(np.stack([law.arch, law.persistence, law.memory, law.spread], axis=1))
        matrices = correlation.draw_correlations(generator, n_laws, 3)
        assert differ(matrices.reshape(n_laws, -1))


def test_one_law_of_an_aspect_is_never_its_absence(generator):
    for _ in range(40):
        assert jumps.draw_jumps(generator, 1).rate[0] > 0.0
        assert any(c.any() for c in dynamics.draw_coefficients(generator, 1, 1))
        law = clustering.draw_clustering(generator, 1)
        assert law.arch.any() or law.spread.any()


@pytest.mark.parametrize("common", [False, True])
def test_jumps_are_rare_large_and_part_of_the_variance(generator, common):
    law = jumps.Jumps(np.array([0.0, 0.05]), np.array([0.0, 0.5]), common)
    states = np.repeat([0, 1], T)
    values = jumps.add_jumps(generator, generator.standard_normal((2 * T, 2)), law, states)
    quiet, jumping = values[states == 0], values[states == 1]
    for part in (quiet, jumping):
        np.testing.assert_allclose(part.std(axis=0), 1.0, atol=0.03)
    assert kurtosis(quiet).max() < 3.2
    # Three variances squared: .5 in all rows, .5 + 10 in one of 20.
    expected = 3 * (0.95 * 0.5**2 + 0.05 * 10.5**2)
    np.testing.assert_allclose(kurtosis(jumping), expected, rtol=0.1)
    assert lagged(np.abs(jumping[:, 0])) == pytest.approx(0.0, abs=0.02)
    assert (np.corrcoef(np.abs(jumping).T)[0, 1] > 0.3) == common


def of_clustering(arch=0.0, persistence=0.0, memory=0.0, spread=0.0):
    return clustering.Clustering(
        *(np.array([n]) for n in (arch, persistence, memory, spread)), True
    )


@pytest.mark.parametrize(
    "law", [of_clustering(0.1, 0.85), of_clustering(memory=0.95, spread=0.6)], ids=["garch", "sv"]
)
def test_volatility_clusters_and_its_mean_stays(generator, law):
    noise = generator.standard_normal((10 * T, 1))
    values = clustering.cluster(generator, noise, law, one_state(len(noise)).states)[:, 0]
    assert values.std() == pytest.approx(1.0, abs=0.05)
    assert lagged(values) == pytest.approx(0.0, abs=0.02)
    assert lagged(np.abs(values), 5) > 0.1
    assert lagged(np.abs(noise[:, 0]), 5) < 0.02
    assert kurtosis(values) > 3.5


def test_clustering_is_of_the_state(generator):
    law = clustering.Clustering(*np.array([[0, 0.2], [0, 0.7], [0, 0], [0, 0]]), common=True)
    states = np.repeat([0, 1], T)
    values = clustering.cluster(generator, generator.standard_normal((2 * T, 1)), law, states)
    found = [lagged(np.abs(values[states == state, 0])) for state in (0, 1)]
    assert found[0] == pytest.approx(0.0, abs=0.02)
    assert found[1] > 0.15


def test_correlation_is_of_the_state(generator):
    path = Path(np.repeat([0, 1], T), 2)
    matrices = np.stack([np.eye(3), correlation._matrix(generator, 3, "equal")])
    values = correlation.correlate(generator.standard_normal((2 * T, 3)), matrices, path)
    for matrix, rows in zip(matrices, path.rows, strict=True):
        np.testing.assert_allclose(np.cov(values[rows].T), matrix, atol=0.03)
    assert np.abs(matrices[1] - matrices[0]).max() > 0.1


@pytest.mark.parametrize("family", list(correlation._FAMILIES))
def test_correlations_are_positive_definite(generator, family, monkeypatch):
    monkeypatch.setattr(correlation, "_FAMILIES", {family: 1.0, "factors": 1e-9, "any": 1e-9})
    for n_features in (1, 2, 8, 24):
        matrices = correlation.draw_correlations(generator, 3, n_features)
        np.testing.assert_allclose(np.einsum("kff->kf", matrices), 1.0)
        assert np.linalg.eigvalsh(matrices).min() > 0.0


def test_dynamics_are_of_the_state_and_leave_the_variance(generator):
    path = Path(np.repeat([0, 1, 2], T), 3)
    first, second = np.array([[0.8], [-0.5], [1.6]]), np.array([[0.0], [0.0], [-0.9]])
    values = dynamics.autoregress(
        generator.standard_normal((3 * T, 1)), first, second, path, goes_on=True
    )
    for state, expected in enumerate([0.8, -0.5, 1.6 / 1.9]):
        inside = values[path.rows[state], 0]
        assert lagged(inside) == pytest.approx(expected, abs=0.02)
        assert inside.std() == pytest.approx(1.0, abs=0.06)


def test_drawn_dynamics_are_stationary(generator):
    first, second = dynamics.draw_coefficients(generator, 400, 2)
    assert (np.abs(first) < 1.0 - second).all()
    assert (np.abs(second) < 1.0).all()
    radius = np.abs(np.linalg.eigvals(dynamics.draw_matrices(generator, 100, 4))).max(axis=1)
    assert radius.min() > 0.2
    assert radius.max() < 0.96


def test_levels_and_volatilities(generator):
    levels = np.stack([draw_levels(generator, 3, 4) for _ in range(300)])
    spread = levels.std(axis=(1, 2))
    assert spread.min() < 0.25
    assert spread.max() > 1.5
    touched = levels.any(axis=1)
    assert touched.any(axis=1).all()
    assert not touched.all()  # in some series some channels keep their level
    volatilities = np.stack([draw_volatilities(generator, 3, 4) for _ in range(300)])
    assert volatilities.min() > 0.0
    assert (np.ptp(volatilities, axis=1).max(axis=1) > 0.0).all()


@pytest.mark.parametrize("draw", [draw_bursts, draw_chaos])
def test_bursts_and_chaos_have_variance_1(generator, draw):
    for n_rows in (1, 63, 5000):
        assert draw(generator, n_rows, 3).shape == (n_rows, 3)
    variances = [draw(generator, 5000, 2).var() for _ in range(60)]
    assert np.median(variances) == pytest.approx(1.0, abs=0.1)


def test_bursts_are_lopsided(generator):
    third = [abs((draw_bursts(generator, 5000, 1) ** 3).mean()) for _ in range(30)]
    assert np.median(third) > 0.7


@pytest.mark.parametrize("name", MAPS)
def test_orbits_follow_from_the_row_before(generator, name):
    """A parabola, or two lines, through the last value (and the one before: Hénon) fit the next."""
    orbits = _orbits(generator, name, 50)
    x, following, before = orbits[1:-1].ravel(), orbits[2:].ravel(), orbits[:-2].ravel()
    bent = np.minimum(x, 1.0 - x) if name == "tent" else x**2
    design = np.stack([np.ones_like(x), x, bent, before], axis=1)
    left = following - design @ np.linalg.lstsq(design, following, rcond=None)[0]
    assert np.abs(left).max() < 1e-8
    assert following.std() > 0.1
    assert abs(lagged(orbits[:, 0])) < 0.99


def test_what_takes_many_rows_to_show_comes_where_stays_are_long(generator):
    everything = frozenset(ASPECTS)
    often = {}
    for stay, n_states in ((100, 2), (30, 2), (100, 4)):
        path = Path(np.tile(np.repeat(np.arange(n_states), stay), 5), n_states)
        chosen = [choose_aspects(generator, everything, 2, path) for _ in range(800)]
        assert {len(c) for c in chosen} == {1, 2, 3, 4}
        often[stay, n_states] = np.mean([bool(c & {"tails", "jumps", "garch"}) for c in chosen])
    assert often[100, 2] > 1.8 * max(often[30, 2], often[100, 4])


def test_correlation_takes_two_channels(generator):
    path = Path(np.repeat([0, 1], 50), 2)
    alone = frozenset({"correlation"})
    assert choose_aspects(generator, alone, 2, path) == alone
    assert choose_aspects(generator, alone, 1, path) == frozenset()


def test_a_process_of_nothing_is_white_normal_noise(generator):
    path = Path(np.repeat(np.arange(4), T // 4), 4)
    values = draw_random_process(generator, path, 2, frozenset(), frozenset())
    np.testing.assert_allclose(np.cov(values.T), np.eye(2), atol=0.03)
    assert kurtosis(values) == pytest.approx(3.0, abs=0.15)
    assert lagged(values[:, 0]) == pytest.approx(0.0, abs=0.02)
