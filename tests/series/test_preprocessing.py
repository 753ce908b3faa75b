import numpy as np
import pytest

from regimetry.errors import DataError
from regimetry.series.column_statistics import (
    ar1_coefficient,
    is_smooth_cycle,
    moves_in_proportion,
    turning_bars,
)
from regimetry.series.units import UNIT_ROOT_COEFFICIENT, fit_preprocessing


def _channels(n=3000):
    generator = np.random.default_rng(0)
    noise = generator.standard_normal((n, 3))
    walk = np.cumsum(noise[:, 0])
    price = 100 * np.exp(0.01 * np.cumsum(noise[:, 1]))
    return np.column_stack([walk, price, noise[:, 2]])


NAMES = ("walk", "price", "noise")


def test_the_coefficient_is_that_of_the_process():
    generator = np.random.default_rng(1)
    series = np.zeros(20_000)
    for t in range(1, len(series)):
        series[t] = 0.6 * series[t - 1] + generator.standard_normal()
    constant = np.full(len(series), 3.0)
    found = ar1_coefficient(np.column_stack([series, constant]))
    assert found[0] == pytest.approx(0.6, abs=0.02)
    assert found[1] == 0.0


def test_near_unit_roots_are_differenced_prices_in_logarithms():
    fitted = fit_preprocessing(_channels(), NAMES)
    assert fitted.transforms == ("difference", "log_difference", "level")
    assert fitted.rows_before == 1
    assert fit_preprocessing(_channels(), NAMES, "none").transforms == ("level",) * 3
    named = fit_preprocessing(_channels(), NAMES, ["noise"])
    assert named.transforms == ("level", "level", "difference")


@pytest.mark.parametrize("n_rows", [300, 3000, 30_000])
@pytest.mark.parametrize("seed", range(3))
def test_a_smooth_cycle_stays_and_what_wanders_is_differenced(n_rows, seed):
    generator = np.random.default_rng(seed)
    walk = np.cumsum(generator.standard_normal(n_rows))
    average = np.convolve(walk, np.full(10, 0.1))[:n_rows]  # smooth, and wanders all the same
    turns = 2 * np.pi * np.arange(n_rows) / (4 * turning_bars(n_rows))
    cycle = np.sin(turns) * (1 + 0.3 * np.sin(turns / 7)) + 0.002 * generator.standard_normal(
        n_rows
    )
    columns = np.column_stack([walk, average, cycle])
    assert is_smooth_cycle(columns).tolist() == [False, False, True]
    if n_rows > 300:  # a short series has to turn fast, and is not near a unit root then
        assert (ar1_coefficient(columns) > UNIT_ROOT_COEFFICIENT).all()
    transforms = fit_preprocessing(columns, ("walk", "average", "cycle")).transforms
    assert transforms[2] == "level"
    assert "level" not in transforms[:2] or n_rows == 300


def test_a_slow_channel_without_a_direction_is_differenced():
    shocks = np.random.default_rng(0).standard_normal(20_000)
    slow = np.zeros(len(shocks))
    for t in range(1, len(slow)):
        slow[t] = 0.992 * slow[t - 1] + shocks[t]
    assert not is_smooth_cycle(slow[:, None])[0]  # it turns back as soon, but in no direction
    assert fit_preprocessing(slow[:, None], ("slow",)).transforms == ("difference",)


def test_the_arithmetic_is_the_documented_one():
    values = _channels()
    fitted = fit_preprocessing(values, NAMES)
    features = np.column_stack(
        [np.diff(values[:, 0]), np.diff(np.log(values[:, 1])), values[1:, 2]]
    )
    expected = np.clip((features - features.mean(axis=0)) / features.std(axis=0), -6, 6)
    np.testing.assert_allclose(fitted.apply(values), expected, atol=2e-3)
    assert fitted.apply(values).dtype == np.float32


def test_a_level_that_is_positive_by_chance_is_not_taken_in_logarithms():
    """A walk that comes near 0 may go below it tomorrow, and has no logarithm there."""
    shocks = np.random.default_rng(2).standard_normal(1500)
    walk = np.cumsum(0.05 * shocks)
    near = walk - walk.min() + 0.05
    price = 100 * np.exp(0.2 * walk)
    assert not moves_in_proportion(near)
    assert moves_in_proportion(price)
    assert moves_in_proportion(walk + 50)  # too far from 0 to tell
    assert not moves_in_proportion(-price)


def test_outliers_are_clipped_and_a_row_does_not_know_later_rows():
    values = np.random.default_rng(0).standard_normal((500, 1))
    fitted = fit_preprocessing(values, ("x",), "none")
    assert fitted.apply(np.array([[1e6], [-1e6]])).tolist() == [[6.0], [-6.0]]
    values = _channels()
    fitted = fit_preprocessing(values, NAMES)
    np.testing.assert_array_equal(fitted.apply(values)[:99], fitted.apply(values[:100]))


def test_constant_columns_are_refused():
    for column, difference, message in (
        (np.ones(100), "none", "'x' is constant;"),
        (1e9 + np.arange(100) % 2, "none", "'x' is constant;"),  # float32 keeps nothing of it
        (np.arange(100.0), ["x"], "'x' is constant once differenced"),
    ):
        noise = np.random.default_rng(0).standard_normal(100)
        with pytest.raises(DataError, match=message):
            fit_preprocessing(np.column_stack([noise, column]), ("n", "x"), difference)
