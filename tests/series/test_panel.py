"""Rows of many instruments in, results in the same shape out."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from regimetry.errors import DataError
from regimetry.series.panel import as_panel
from regimetry.series.schema import Schema

SCHEMA = Schema.numeric(("x", "y"))


def long_frame():
    """Instruments b (4 rows) and a (3 rows), mixed, as rows of one time lie together."""
    times = pd.to_datetime(["2020-01-01", "2020-01-01", "2020-01-02", "2020-01-02", "2020-01-03",
                            "2020-01-03", "2020-01-04"])  # fmt: skip
    return pd.DataFrame(
        {"symbol": list("bababab"), "x": np.arange(7.0), "y": 10 + np.arange(7.0)}, index=times
    )


def test_a_long_frame_is_gathered_and_given_back_in_its_own_order():
    frame = long_frame()
    panel = as_panel(frame, SCHEMA, by="symbol")
    assert panel.instruments == ("a", "b")
    assert panel.offsets.tolist() == [0, 3, 7]
    assert panel.values[:, 0].tolist() == [1, 3, 5, 0, 2, 4, 6]
    back = panel.give(panel.values[:, 0], ["x"], missing=-1)
    pd.testing.assert_series_equal(back, frame["x"])
    rows = panel.ends(3)
    assert rows.tolist() == [2, 5, 6]
    some = panel.give_rows(panel.values[rows], rows, ["x", "y"])
    assert some["x"].tolist() == [5, 4, 6]
    assert some.index.tolist() == frame.index[[5, 4, 6]].tolist()
    assert panel.boundaries(3).tolist() == [0, 1, 3]


def test_a_mapping_is_given_back_as_one_and_one_series_has_no_instrument():
    data = {"b": pl.DataFrame({"x": [1.0, 2], "y": [3.0, 4]}), "a": np.array([[5.0, 6]])}
    panel = as_panel(data, SCHEMA)
    assert panel.instruments == ("b", "a")
    back = panel.give(panel.values[:, 0], ["x"], missing=-1)
    assert back["b"].to_list() == [1, 2]
    assert back["a"].tolist() == [5]
    values = np.zeros((5, 2), np.float32)
    panel = as_panel(values, SCHEMA, by="symbol")
    assert panel.instruments is None
    assert panel.values is values
    frame = long_frame().drop(columns="symbol").iloc[::2]
    assert as_panel(frame, SCHEMA, by="symbol").instruments is None


def test_bad_rows_are_named():
    for change, message in (
        (lambda f: f.iloc[[0, 2, 1, 1]], "Instrument 'a': Row 1 repeats the time"),
        (lambda f: f.iloc[[0, 3, 1, 5]], "Instrument 'a': Row 1 goes back in time"),
        (lambda f: f.iloc[[0, 3, 1, 2]], "of instrument 'b' rise, and those of 'a' fall"),
        (lambda f: f.assign(symbol=["a", None, *"ababa"]), "Row 1, column 'symbol' is empty"),
        (
            lambda f: f.assign(x=[0, 1, 2, 3, np.nan, 5, 6]),
            "Instrument 'b': Row 2 .*, column 'x' holds nan, a missing value; missing='trim'",
        ),
        (lambda f: f.drop(columns="y"), "Column 'y' is missing"),
    ):
        with pytest.raises(DataError, match=message):
            as_panel(change(long_frame()), SCHEMA, by="symbol")


def test_a_bad_instrument_of_a_mapping_is_named():
    with pytest.raises(DataError, match="Instrument 'b': The data have 3 columns"):
        as_panel({"a": np.zeros((2, 2)), "b": np.zeros((2, 3))}, SCHEMA)
    with pytest.raises(DataError, match="no instrument"):
        as_panel({}, SCHEMA)
