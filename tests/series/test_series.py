import numpy as np
import pandas as pd
import polars as pl
import pytest

from regimetry.errors import DataError, DataWarning
from regimetry.series.frames import matrix_of
from regimetry.series.layout import layout_of
from regimetry.series.schema import Schema
from regimetry.series.series import as_series


@pytest.fixture
def frame():
    return pd.DataFrame(
        {"a": [1.0, 2.0, 3.0], "b": [True, False, True], "c": ["x", "y", "x"]},
        index=pd.date_range("2020-01-01", periods=3, name="date"),
    )


def test_numbers_and_booleans_are_read_and_names_are_reported(frame):
    with pytest.warns(DataWarning, match="left out, since they are not numbers: c"):
        assert layout_of(frame).names == ("a", "b")


@pytest.mark.parametrize("convert", [lambda f: f, lambda f: pl.from_pandas(f.reset_index())])
def test_categories_become_features(frame, convert):
    schema = layout_of(convert(frame), columns=["a"], categorical=["c"])
    assert schema.feature_names == ("a", "c=x", "c=y")
    values = matrix_of(convert(frame), schema)
    np.testing.assert_array_equal(values, [[1, 1, 0], [2, 0, 1], [3, 1, 0]])
    assert Schema.from_list(schema.to_list()) == schema


def test_a_row_by_name_is_that_of_a_frame_and_an_unknown_category_is_named(frame):
    schema = layout_of(frame, categorical=["c"])
    expected = matrix_of(frame, schema)[1]
    assert schema.row({"c": "y", "b": False, "a": 2.0, "more": 1}) == expected.tolist()
    for row, message in (
        ({"b": True, "c": "x"}, "lacks 'a'"),
        ({"a": 1.0, "b": True, "c": "q"}, "holds 'q'"),
    ):
        with pytest.raises(DataError, match=message):
            schema.row(row)
    frame.loc["2020-01-02", "c"] = "z"
    with pytest.raises(DataError, match=r"Row 1, column 'c' holds 'z'; the categories are x, y"):
        as_series(frame, schema)
    with pytest.raises(DataError, match="cannot hold"):
        as_series(np.zeros((3, 3)), schema)


def test_columns_are_found_by_name(frame):
    schema = Schema.numeric(("a", "b"))
    series = as_series(frame[["c", "b", "a"]], schema)
    np.testing.assert_array_equal(series.values, [[1, 1], [2, 0], [3, 1]])
    with pytest.raises(DataError, match="Column 'd' is missing; the data have a, b, c"):
        as_series(frame, Schema.numeric(("a", "d")))


def test_text_among_numbers_names_its_row(frame):
    frame["d"] = ["1", "2", "oops"]
    with pytest.raises(DataError, match="Row 2, column 'd' holds 'oops'"):
        layout_of(frame)
    with pytest.raises(DataError, match="Row 0, column 'c' holds 'x'"):
        layout_of(frame, columns=["c"])
    with pytest.raises(DataError, match="Row 0, column 'c' holds 'x'"):
        as_series(frame, Schema.numeric(("c",)))
    with pytest.raises(DataError, match="no numeric column"):
        layout_of(frame[["c"]])


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_not_finite_is_named(frame, bad):
    frame.loc["2020-01-03", "a"] = bad
    with pytest.raises(DataError, match=r"Row 2 \(2020-01-03.*\), column 'a' holds"):
        as_series(frame, Schema.numeric(("a", "b")))


def test_times_must_rise_in_one_column(frame):
    schema = Schema.numeric(("a",))
    with pytest.raises(DataError, match=r"Row 2 goes back in time .* Sort the rows"):
        as_series(frame.iloc[[0, 2, 1]], schema)
    with pytest.raises(DataError, match="Row 1 repeats the time"):
        as_series(frame.iloc[[0, 0, 1]], schema)
    with pytest.raises(DataError, match="Row 2 goes back"):
        as_series(pl.from_pandas(frame.reset_index())[[0, 2, 1]], schema)
    two = frame.reset_index().assign(settled=pd.Timestamp("2021-01-01"))
    with pytest.warns(DataWarning, match="in the order of 'date', of the columns that hold times"):
        assert as_series(two, schema).timestamps[0] == np.datetime64("2020-01-01")


def test_a_bad_array_says_what_is_needed():
    for data, message in (
        (np.zeros(3), r"shape \(3,\)"),
        (np.zeros((3, 2, 1)), r"shape \(3, 2, 1\)"),
        (np.zeros((3, 2), dtype=complex), "complex"),
        (np.array([["a", "b"]]), "real numbers"),
        (np.zeros((3, 3)), "3 columns; the model reads 2: a, b"),
    ):
        with pytest.raises(DataError, match=message):
            as_series(data, Schema.numeric(("a", "b")))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_not_copied(dtype):
    values = np.ones((4, 2), dtype=dtype)[::-1]
    assert np.shares_memory(as_series(values, Schema.numeric(("a", "b"))).values, values)
