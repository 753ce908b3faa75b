"""Common units of instruments, and the samples that a fit takes of them."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from regimetry.errors import DataError
from regimetry.fit.rows import stretches
from regimetry.series.column_statistics import ColumnStatistics
from regimetry.series.scaling import InstrumentScaling
from regimetry.series.units import fit_preprocessing, fit_units

NAMES = ("price", "level", "walk")


def instrument(seed, n=600, size=1.0):
    """Return a price, a level and a random walk, all in units of ``size``."""
    g = np.random.default_rng(seed)
    moves = g.standard_normal((n, 3))
    price = size * 100 * np.exp(np.cumsum(0.01 * size * moves[:, 0]))
    return np.column_stack([price, size * (5 + moves[:, 1]), size * np.cumsum(moves[:, 2])])


def measured(*series):
    return [ColumnStatistics.of(one) for one in series]


def units_of(*series):
    """Common units of instruments a, b, ..."""
    return fit_units(measured(*series), NAMES, instruments="abc"[: len(series)])


def test_one_series_is_the_panel_of_one():
    values = instrument(0)
    alone = fit_preprocessing(values, NAMES)
    panel, scaling = units_of(values)
    assert alone.transforms == panel.transforms == ("log_difference", "level", "difference")
    np.testing.assert_allclose(
        panel.apply(scaling.apply(values, "a")), alone.apply(values), atol=2e-4
    )


def test_each_instrument_comes_to_the_average_units():
    series = [
        instrument(seed, n=400 + 100 * seed, size=size) for seed, size in enumerate((1, 2, 5))
    ]
    preprocessing, scaling = units_of(*series)
    for name, values in zip("abc", series, strict=True):
        scaled = preprocessing.apply(scaling.apply(values, name))
        np.testing.assert_allclose(scaled.std(axis=0), 1, atol=0.05)
        np.testing.assert_allclose(scaled.mean(axis=0)[1], 0, atol=0.01)
    # The test can fail: as they are, the instruments differ.
    pooled, nothing = fit_units(measured(*series), NAMES)
    assert nothing is None
    assert np.ptp([pooled.apply(values).std(axis=0) for values in series], axis=0).min() > 0.3


def test_units_of_all_rows_together_equal_those_of_one_long_level():
    g = np.random.default_rng(0)
    parts = [g.standard_normal((n, 2)) * n + n for n in (50, 80, 200)]
    pooled, _ = fit_units(measured(*parts), ("a", "b"), "none")
    joined = fit_preprocessing(np.concatenate(parts), ("a", "b"), "none")
    np.testing.assert_allclose(pooled.mean, joined.mean, rtol=1e-6)
    np.testing.assert_allclose(pooled.scale, joined.scale, rtol=1e-6)


def test_maps_survive_the_file_leave_strangers_alone_and_use_a_row_alone():
    values = instrument(1)
    _, scaling = units_of(values, instrument(2, size=3))
    assert scaling.apply(values, "c") is values
    assert scaling.apply(values, "a") is not values
    values = instrument(3, size=2)
    _, scaling = units_of(values, instrument(4))
    again = InstrumentScaling.from_dict(scaling.to_dict(), scaling.transforms)
    assert again == scaling
    assert again != InstrumentScaling(
        scaling.transforms, scaling.instruments, 2 * scaling.factor, scaling.offset
    )
    whole = scaling.apply(values, "a")
    np.testing.assert_array_equal(scaling.apply(values[:7], "a"), whole[:7])


def test_a_column_that_is_constant_in_one_instrument_keeps_its_unit_there():
    still = instrument(5)
    still[:, 1] = 7.0
    preprocessing, scaling = units_of(still, instrument(6))
    assert scaling.factor[0, 1] == 1.0
    assert np.isfinite(preprocessing.apply(scaling.apply(still, "a"))).all()
    with pytest.raises(DataError, match="Column 'level' is constant"):
        units_of(still, still)


@given(
    st.lists(st.integers(0, 5000), min_size=1, max_size=6), st.integers(2, 30), st.integers(1, 9000)
)
def test_stretches_hold_what_was_asked_for(lengths, rows, most):
    chosen = stretches([np.array([0, n]) for n in lengths], rows, most)
    windows = [max(0, n - rows + 1) for n in lengths]
    taken = [sum(b - a - rows + 1 for a, b in spans) for spans in chosen]
    assert sum(taken) <= min(most, sum(windows))
    assert sum(taken) > min(most, sum(windows)) - 8 * len(
        lengths
    )  # less than one a stretch is lost
    for n, spans in zip(lengths, chosen, strict=True):
        assert all(0 <= a < b <= n for a, b in spans)
        # In time order, and no window twice.
        assert all(a + (b - a - rows + 1) <= c for (a, b), (c, _) in itertools.pairwise(spans))
    if sum(windows) <= most:
        assert chosen == [[(0, n)] if n >= rows else [] for n in lengths]
