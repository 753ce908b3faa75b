"""Columns that sit on a few levels are not taken for random walks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regimetry.series.column_statistics import ColumnStatistics, ar1_coefficient
from regimetry.series.levels import sits_on_levels
from regimetry.series.units import UNIT_ROOT_COEFFICIENT, choose_transforms, fit_preprocessing


def switching(levels, stay, noise=0.0, seed=0):
    """Return a column (T,) that visits levels in turn."""
    path = np.repeat(np.asarray(levels, float), stay)
    return path + noise * np.random.default_rng(seed).standard_normal(len(path))


SWITCHING = {
    "two, nearly noiseless": switching([0, 1, 0, 1], 175, 0.02),
    "on and off": switching([0, 1, 1, 0, 1], 400),
    "a machine's power": switching([60, 1800, 60, 1800], 500, 20.0),
    "set points": switching([10, 14, 20, 10, 20], 500, 0.1),
    "saturating": np.clip(switching([0, 4, 0, 4], 400, 1.0), 0.5, 3.5),
    "six": switching([0, 30, 10, 50, 20, 40], 300, 0.5),
}


@pytest.mark.parametrize("name", SWITCHING)
def test_levels_are_kept(name):
    column = SWITCHING[name][:, None]
    assert sits_on_levels(column[:, 0])
    if ar1_coefficient(column)[0] > UNIT_ROOT_COEFFICIENT:
        assert fit_preprocessing(column, ["x"]).transforms == ("level",)


def test_some_of_them_would_be_differenced():
    coefficients = [ar1_coefficient(column[:, None])[0] for column in SWITCHING.values()]
    assert sum(rho > UNIT_ROOT_COEFFICIENT for rho in coefficients) >= 3


@given(st.integers(0, 2**16), st.integers(400, 3000), st.booleans())
def test_a_walk_is_differenced(seed, rows, rounded):
    walk = np.cumsum(np.random.default_rng(seed).standard_normal(rows))
    if rounded:
        walk = np.round(walk)
    if ar1_coefficient(walk[:, None])[0] > UNIT_ROOT_COEFFICIENT:
        assert not sits_on_levels(walk)


@given(st.floats(1e-6, 1e6), st.floats(-1e3, 1e3))
def test_units_and_offset_do_not_matter(scale, offset):
    for column in (SWITCHING["set points"], np.cumsum(np.sin(np.arange(500.0) ** 2))):
        assert sits_on_levels(scale * (column + offset)) == sits_on_levels(column)


def test_instruments_decide_by_the_majority_of_rows():
    walk = np.cumsum(np.random.default_rng(1).standard_normal(900))[:, None]
    switch = SWITCHING["on and off"][:, None]
    few = [ColumnStatistics.of(part) for part in (walk, switch[:500])]
    many = [ColumnStatistics.of(part) for part in (walk[:500], switch)]
    assert choose_transforms(few, "auto", ["x"]) == ("difference",)
    assert choose_transforms(many, "auto", ["x"]) == ("level",)
    assert choose_transforms(many, ["x"], ["x"]) == ("difference",)


def test_a_column_of_one_or_two_values():
    assert sits_on_levels(np.zeros(50))
    assert sits_on_levels(np.array([0.0, 1.0]))
