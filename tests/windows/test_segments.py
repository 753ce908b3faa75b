import numpy as np
import oracles
from hypothesis import given
from hypothesis import strategies as st
from layouts import laid_out
from refusals import refused

from regimetry.windows import window_starts


@st.composite
def panels(draw):
    """Draw a panel: instruments one behind the other, gaps in time, missing values."""
    lengths = draw(st.lists(st.integers(1, 12), min_size=1, max_size=6))
    rows, cols = sum(lengths), draw(st.integers(0, 3))
    codes = draw(st.lists(st.integers(-(2**63), 2**63 - 1), unique=True, min_size=6, max_size=6))
    instruments = np.repeat(np.array(codes[: len(lengths)], dtype=np.int64), lengths)
    steps = draw(st.lists(st.sampled_from([0, 1, 2, 5]), min_size=rows, max_size=rows))
    timestamps = np.cumsum(np.array(steps, dtype=np.int64)) - draw(st.sampled_from([0, 2**62]))
    odd = st.sampled_from([np.nan, np.inf, -1e300, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0])
    values = draw(st.lists(odd, min_size=rows * cols, max_size=rows * cols))
    values = np.array(values, dtype=float).reshape(rows, cols)
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    with np.errstate(over="ignore"):
        values = laid_out(values.astype(dtype), draw(st.sampled_from(["rows", "columns", "steps"])))
    return {
        "values": values if draw(st.booleans()) else None,
        "instruments": instruments if draw(st.booleans()) else None,
        **(
            {"timestamps": timestamps, "max_gap": draw(st.sampled_from([0, 1, 4, 2**62]))}
            if draw(st.booleans())
            else {}
        ),
    }, rows


@given(panel=panels(), data=st.data(), stride=st.integers(1, 4))
def test_starts_are_those_of_a_walk_over_the_rows(panel, data, stride):
    columns, rows = panel
    size = data.draw(st.integers(1, min(rows, 6)))
    found = window_starts(rows, size, stride, **columns)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, oracles.window_starts(rows, size, stride, **columns))


def test_columns_of_any_stride():
    table = np.zeros((30, 2), dtype=np.int64)
    table[:, 0] = np.arange(30) // 10
    table[:, 1] = np.arange(30) * 3
    table[17:, 1] += 50
    given_columns = {"instruments": table[:, 0], "timestamps": table[:, 1], "max_gap": 3}
    expected = oracles.window_starts(30, 4, **given_columns)
    np.testing.assert_array_equal(window_starts(30, 4, **given_columns), expected)
    table[:, 0] = table[::-1, 0].copy()
    backwards = {**given_columns, "instruments": table[::-1, 0]}
    np.testing.assert_array_equal(window_starts(30, 4, **backwards), expected)


ONES = np.ones(6, dtype=np.int64)


def test_bad_input_is_refused():
    for arguments, part in (
        ({"window_size": 0}, "window_size is 0"),
        ({"window_size": 7}, "window_size is 7 and there are only 6 rows"),
        ({"window_size": 2, "stride": 0}, "stride is 0"),
        ({"n_rows": -1, "window_size": 2}, "only -1 rows"),
        ({"window_size": 2.0}, "window_size is a float"),
        ({"instruments": ONES[:5]}, "instruments has 5 entries; expected 6"),
        ({"instruments": ONES.astype(np.int32)}, "instruments has dtype int32"),
        ({"instruments": ONES.astype(">i8")}, "foreign byte order"),
        ({"instruments": list(ONES)}, "instruments is a list"),
        ({"instruments": np.array([1, 1, 2, 2, 1, 1])}, "instrument 1 of row 4 was at row 0"),
        ({"timestamps": ONES}, "timestamps without max_gap"),
        ({"max_gap": 3}, "max_gap without timestamps"),
        ({"timestamps": ONES, "max_gap": -1}, "max_gap is -1"),
        ({"timestamps": ONES, "max_gap": 1.5}, "max_gap is a float"),
        ({"timestamps": ONES[::-1].cumsum()[::-1], "max_gap": 1}, "fall from 6 to 5 at row 1"),
        ({"timestamps": ONES.astype("M8[s]"), "max_gap": 1}, "dtype datetime64"),
        ({"values": np.zeros((5, 2))}, "values have shape (5, 2); expected 6 rows"),
        ({"values": np.zeros(6)}, "values has 1 dimension(s)"),
        ({"values": np.zeros((6, 2), dtype=int)}, "values has dtype int64"),
        ({"values": np.zeros((6, 2), dtype=">f8")}, "foreign byte order"),
        ({"values": np.zeros((6, 2), dtype=object)}, "values has dtype object"),
    ):
        with refused(part):
            window_starts(**{"n_rows": 6, "window_size": 2, **arguments})


def test_a_number_of_rows_alone_takes_no_time():
    starts = window_starts(10**15, 10, 10**14)
    assert starts.tolist() == [i * 10**14 for i in range(10)]
