import gc
import weakref

import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import matrices
from refusals import refused

import regimetry as rg
from regimetry.errors import DataError

NUMERIC = ["?", "b", "B", "h", "H", "i", "I", "l", "q", "Q", "e", "f", "d", "g", "F", "D", "G"]


@given(values=matrices(NUMERIC, rows=(1, 30)), data=st.data(), stride=st.integers(1, 7))
def test_the_view_is_numpys_own(values, data, stride):
    size = data.draw(st.integers(1, len(values)))
    found = rg.rolling_windows(values, size, stride)
    expected = oracles.rolling_windows(values, size, stride)
    assert found.dtype == values.dtype
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)
    assert not found.flags.writeable
    assert np.shares_memory(found, values) or values.size == 0
    if len(found) > 1 and values.size:
        assert found.strides == expected.strides


def test_the_view_follows_its_source_and_keeps_it_alive():
    values = np.arange(40.0).reshape(20, 2).copy()
    alive = weakref.ref(values)
    windows = rg.rolling_windows(values, 5)
    values[3, 1] = -1.0
    assert windows[0, 3, 1] == -1.0
    del values
    gc.collect()
    assert alive() is not None
    np.testing.assert_array_equal(windows[0, 0], [0.0, 1.0])
    del windows
    gc.collect()
    assert alive() is None


def test_it_takes_no_memory():
    values = np.broadcast_to(np.float32(1.0), (10**9, 10))
    windows = rg.rolling_windows(values, 10**6)
    assert windows.shape == (10**9 - 10**6 + 1, 10**6, 10)
    assert windows[-1, -1, -1] == 1.0


class Matrix(np.ndarray):
    """A subclass without a meaning of its own."""


def test_a_subclass_comes_out_plain():
    assert type(rg.rolling_windows(np.zeros((5, 2)).view(Matrix), 2)) is np.ndarray


def test_bad_input_is_an_exception_with_words():
    for values, size, stride, part in (
        (np.zeros((5, 2)), 0, 1, "window_size is 0"),
        (np.zeros((5, 2)), -1, 1, "window_size is -1"),
        (np.zeros((5, 2)), 6, 1, "window_size is 6 and there are only 5 rows"),
        (np.zeros((0, 2)), 1, 1, "only 0 rows"),
        (np.zeros((5, 2)), 2, 0, "stride is 0"),
        (np.zeros((5, 2)), 2**62, 2**62, "only 5 rows"),
        (np.zeros((5, 2)), 2**64, 1, "fits into 64 bits"),
        (np.zeros(5), 2, 1, "1 dimension"),
        (np.zeros((5, 2, 1)), 2, 1, "shape (5, 2, 1)"),
        (np.zeros((1, 2, 3, 4)), 2, 1, "shape (1, 2, 3, 4)"),
        (np.zeros((5, 2), dtype=object), 1, 1, "dtype object"),
        (np.zeros((5, 2), dtype=">f8"), 1, 1, ".astype(a.dtype.newbyteorder('='))"),
        (np.zeros((5, 2), dtype="M8[s]"), 1, 1, "datetime64"),
        (np.zeros((5, 2), dtype="U3"), 1, 1, "a numeric dtype"),
        (np.zeros((5, 2), dtype=[("a", "f4")]), 1, 1, "a numeric dtype"),
        (np.ma.masked_equal(np.zeros((5, 2)), 1), 1, 1, ".filled(numpy.nan)"),
        ([[1.0, 2.0]], 1, 1, "values is a list"),
        (np.zeros((5, 2)), 2.5, 1, "window_size is a float"),
        (np.zeros((5, 2)), True, 1, "window_size is a bool"),
        (np.zeros((5, 2)), 2, None, "stride is a NoneType"),
        (np.broadcast_to(0.0, (2**39, 2**10)), 2**38, 1, "too large"),
    ):
        with refused(part):
            rg.rolling_windows(values, size, stride)


def test_the_remedy_for_foreign_byte_order_works():
    values = np.arange(10, dtype=">f4").reshape(5, 2)
    with pytest.raises(DataError):
        rg.rolling_windows(values, 2)
    native = values.astype(values.dtype.newbyteorder("="))
    np.testing.assert_array_equal(rg.rolling_windows(native, 2), oracles.rolling_windows(native, 2))


class Reshaper:
    """An index that reshapes the array while the call reads its arguments."""

    def __init__(self, values):
        self.values = values

    def __index__(self):
        self.values.shape = (2, 50)
        return 60


def test_an_argument_that_changes_another_is_harmless():
    values = np.zeros((100, 1))
    with refused("only 2 rows"):
        rg.rolling_windows(values, Reshaper(values))


def test_wrong_calls_are_type_errors():
    for args, kwargs in (
        ((), {}),
        ((np.zeros((3, 1)),), {}),
        ((np.zeros((3, 1)), 1, 1, 1), {}),
        ((np.zeros((3, 1)), 1), {"window_size": 1}),
        ((np.zeros((3, 1)), 1), {"step": 1}),
    ):
        with pytest.raises(TypeError, match=r"rolling_windows\(\)"):
            rg.rolling_windows(*args, **kwargs)
