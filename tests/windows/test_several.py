"""Windows of several series: numbering, taking, and even shares."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from regimetry.windows import Windows, balanced_counts, rolling_windows, with_later


def series(lengths, w=3, f=2):
    rows = [np.arange(n * f, dtype=np.float32).reshape(n, f) + 1000 * i for i, n in
            enumerate(lengths)]  # fmt: skip
    return [rolling_windows(one, w) for one in rows]


@given(st.lists(st.integers(3, 12), min_size=1, max_size=5), st.data())
def test_taking_is_indexing_of_all_in_one(lengths, data):
    parts = series(lengths)
    windows, joined = Windows(parts), np.concatenate(parts)
    assert windows.shape == joined.shape
    numbers = np.array(
        data.draw(st.lists(st.integers(0, len(joined) - 1), max_size=10)), dtype=np.int64
    )
    np.testing.assert_array_equal(windows.take(numbers), joined[numbers])
    np.testing.assert_array_equal(windows.map(lambda w: w[:, -1]), joined[:, -1])
    assert np.flatnonzero(windows.begins).tolist() == windows.offsets[:-1].tolist()


@given(st.lists(st.integers(0, 8), min_size=1, max_size=5), st.integers(0, 4))
def test_the_one_later_is_of_the_same_series(lengths, bars):
    offsets = np.cumsum([0, *lengths])
    owner = np.repeat(np.arange(len(lengths)), lengths)
    wanted = [n for n in range(len(owner)) if n + bars < len(owner) and owner[n] == owner[n + bars]]
    assert with_later(offsets, bars).tolist() == wanted


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.integers(0, 200))
def test_shares_are_even(lengths, total):
    counts = balanced_counts(lengths, total)
    have = np.array(lengths)
    assert counts.sum() == min(total, have.sum())
    assert np.all((counts >= 0) & (counts <= have))
    # Who gave less than another, by more than the remainder, gave all there was.
    less = counts < counts.max() - 1
    assert np.all(counts[less] == have[less])
    assert balanced_counts([5, 5, 1], 6).tolist() == [3, 2, 1]


def test_one_series_stays_a_view():
    (part,) = series([9])
    assert Windows.of(part).series[0] is part
    assert Windows.of(windows := Windows([part])) is windows
