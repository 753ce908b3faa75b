import gc
import weakref

import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import regimetry as rg
from regimetry.windows import StreamBuffer

DTYPES = st.sampled_from([np.float32, np.float64, np.int32, np.int8, np.uint16])


@st.composite
def matrices(draw):
    """Matrices of many dtypes and layouts: steps of any sign, row- and column-major."""
    shape = (draw(st.integers(1, 30)), draw(st.integers(1, 5)))
    values = draw(hnp.arrays(draw(DTYPES), shape, elements=st.integers(0, 100)))
    if draw(st.booleans()):
        values = np.asfortranarray(values)
    step = draw(st.sampled_from([1, -1, 2, -2]))
    return values[::step, :: draw(st.sampled_from([1, -1]))]


@given(values=matrices(), data=st.data(), stride=st.integers(1, 7))
def test_the_view_is_numpys_own(values, data, stride):
    size = data.draw(st.integers(1, len(values)))
    found = rg.rolling_windows(values, size, stride)
    expected = oracles.rolling_windows(values, size, stride)
    assert found.dtype == values.dtype
    assert found.shape == expected.shape
    np.testing.assert_array_equal(found, expected)
    assert not found.flags.writeable
    assert np.shares_memory(found, values)


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


@pytest.mark.parametrize(
    ("values", "size", "stride"),
    [
        (np.zeros((5, 2)), 0, 1),
        (np.zeros((5, 2)), 6, 1),
        (np.zeros((5, 2)), -1, 1),
        (np.zeros((5, 2)), 2, 0),
        (np.zeros((5, 2)), 2**62, 2**62),
        (np.zeros(5), 2, 1),
        (np.zeros((5, 2, 1)), 2, 1),
        (np.array([["a", "b"]], dtype=object), 1, 1),
        ([[1.0, 2.0]], 1, 1),
        (np.zeros((5, 2)), 2.5, 1),
    ],
)
def test_bad_input_is_an_exception_with_words(values, size, stride):
    with pytest.raises((ValueError, TypeError), match=r"\w+ .*;"):
        rg.rolling_windows(values, size, stride)


@given(
    n=st.integers(0, 40), size=st.integers(1, 9), width=st.integers(1, 4), seed=st.integers(0, 9)
)
def test_a_stream_holds_the_last_rows(n, size, width, seed):
    rows = np.random.default_rng(seed).standard_normal((n, width))
    buffer = StreamBuffer(size, width)
    for t, row in enumerate(rows):
        buffer.push(row)
        assert buffer.count == t + 1
        assert buffer.ready == (t + 1 >= size)
        if buffer.ready:
            window = buffer.window()
            assert window.flags.c_contiguous
            np.testing.assert_array_equal(window[0], rows[t + 1 - size : t + 1].astype(np.float32))
    again = StreamBuffer(size, width)
    again.extend(rows)
    assert again.count == n
    if n >= size:
        np.testing.assert_array_equal(again.window(), buffer.window())
    restored = StreamBuffer(size, width)
    restored.restore(buffer.snapshot())
    assert restored.count == n
    buffer.reset()
    assert (buffer.count, buffer.ready) == (0, False)
