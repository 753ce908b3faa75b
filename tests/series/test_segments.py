"""Missing values, gaps in time and bins, against rules that walk row by row."""

import warnings
from itertools import pairwise

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from regimetry.errors import ConfigError, DataError, DataWarning
from regimetry.fit.source import panel_source
from regimetry.series.gaps import StepCounts, as_span, found_gap, steps
from regimetry.series.missing import Held, read_rows
from regimetry.series.panel import as_panel
from regimetry.series.resample import binned
from regimetry.series.rules import ReadingRules, decided
from regimetry.series.schema import Schema
from regimetry.series.segments import segments_of
from regimetry.series.standing import Standing

anything = settings(max_examples=150, deadline=None)
AB = Schema.numeric(("a", "b"))


def walked(values, borders, fill):
    """What is kept, filled and begun, by walking the rows."""
    last, ages, is_open, found = {}, {}, False, []
    for row, border in zip(values, borders, strict=True):
        if border:
            last, is_open = {}, False
        ages = {column: age + 1 for column, age in ages.items()}
        for column, value in enumerate(row):
            if not np.isnan(value):
                last[column], ages[column] = value, 0
        complete = len(last) == len(row) and all(ages[c] <= fill for c in last)
        if complete:
            found.append(([last[c] for c in range(len(row))], not is_open))
        else:
            found.append(None)
            if is_open:  # what came before the gap is forgotten
                last = {c: v for c, v in last.items() if ages[c] == 0}
        is_open = complete
    return found


@st.composite
def series(draw):
    rows, columns = draw(st.integers(1, 30)), draw(st.integers(1, 3))
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    values = random.standard_normal((rows, columns))
    values[random.random(values.shape) < draw(st.sampled_from([0.1, 0.3, 0.6]))] = np.nan
    return values, random.random(rows) < draw(st.sampled_from([0.0, 0.2]))


@anything
@given(series(), st.integers(0, 4), st.data())
def test_rows_are_read_as_one_walks_them_however_they_are_cut(given_series, fill, data):
    values, borders = given_series
    expected = walked(values, borders, fill)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(values)), max_size=4)))
    held, parts = Held.nothing(values.shape[1]), []
    for a, b in zip([0, *cuts], [*cuts, len(values)], strict=True):
        read = read_rows(values[a:b], borders[a:b], fill, held)
        held = read.held
        parts += [
            (row.tolist(), bool(begins)) if keep else None
            for row, keep, begins in zip(read.values, read.keep, read.begins, strict=True)
        ]
    assert parts == expected


@anything
@given(st.lists(series(), min_size=1, max_size=3), st.integers(0, 3), st.booleans())
def test_many_series_stand_where_each_alone_does(several, fill, numbered):
    several = [one for one in several if one[0].shape[1] == several[0][0].shape[1]]
    rules = ReadingRules(missing="ffill", max_fill=max(fill, 1), max_gap=1 if numbered else "1s")
    standing = Standing.begin(len(several), several[0][0].shape[1])
    times = [np.cumsum(np.where(borders, 3, 1)) for _, borders in several]
    kind = np.float64 if numbered else "datetime64[s]"
    found = [[] for _ in several]
    longest = max(len(values) for values, _ in several)
    for first in range(0, longest, 4):
        some = [values[first : first + 4] for values, _ in several]
        offsets = np.cumsum([0, *map(len, some)])
        stamps = np.concatenate([one[first : first + 4].astype(kind) for one in times])
        read, standing = standing.read(np.concatenate(some), offsets, stamps, rules)
        standing = Standing.of_numbers(standing.numbers())
        for number, (a, b) in enumerate(pairwise(offsets.tolist())):
            found[number] += [
                (read.values[i].tolist(), bool(read.begins[i])) if read.keep[i] else None
                for i in range(a, b)
            ]
    for mine, (values, borders) in zip(found, several, strict=True):
        late = np.append(False, borders[1:])
        assert mine == walked(values, late, rules.fill)


@anything
@given(series(), st.integers(1, 4), st.sampled_from(["last", "mean"]), st.integers(0, 2))
def test_bins_hold_the_rows_before_their_end(given_series, size, how, fill):
    values, far = given_series
    seconds = np.cumsum(np.where(far, 3 * size, 1)) - 1
    times = seconds.astype("datetime64[s]")
    rules = ReadingRules(missing="ffill", max_fill=fill + 1, resample=f"{size}s", resample_how=how)
    found = binned(values, np.array([0, len(values)]), times, rules)
    numbers = seconds // size
    for t, place in enumerate(found.place):
        closed = numbers[t] - 1  # the last bin that closed before row t or at it
        rows = values[numbers == closed]
        if place < 0:
            assert closed < numbers[0] or not len(rows)
            continue
        assert found.times[place] == np.datetime64(int(numbers[t]) * size, "s")
        there = [column[~np.isnan(column)] for column in rows.T]
        expected = [
            np.nan if not len(one) else one[-1] if how == "last" else one.mean() for one in there
        ] or [np.nan] * values.shape[1]
        np.testing.assert_allclose(found.values[place], expected)


def minutes(days, bars=78, step="5min"):
    day = np.arange(bars) * np.timedelta64(pd.Timedelta(step))
    start = pd.bdate_range("2024-01-01 09:30", periods=days).to_numpy()
    return np.concatenate([one + day for one in start])


@pytest.mark.parametrize(
    ("times", "expected"),
    [
        (pd.bdate_range("2020-01-01", periods=500).to_numpy(), None),
        (pd.date_range("2020-01-01", periods=500, freq="h").to_numpy(), None),
        (pd.date_range("2000-01-31", periods=90, freq="ME").to_numpy(), None),
        (minutes(20), 3000.0),
        (minutes(1), None),
        (minutes(2), None),  # one night is no session yet
        (minutes(3), 3000.0),
        (np.arange(100.0), None),
        (np.repeat(np.arange(10) * 50.0, 5) + np.tile(np.arange(5.0), 10), 10.0),
        (np.cumsum(np.tile([1, 1, 1, 5, 20], 9)), None),  # as many long steps as unsure ones
        (np.zeros(1), None),
        (np.zeros(9), None),
    ],
)
def test_auto_finds_sessions_and_nothing_else(times, expected):
    assert found_gap(StepCounts.of([times])) == expected
    halves = [
        StepCounts.of([times[: len(times) // 2 + 1]]),
        StepCounts.of([times[len(times) // 2 :]]),
    ]
    assert found_gap(StepCounts.together(halves)) == expected


def test_what_auto_found_is_kept_as_text_and_said():
    rules = ReadingRules(max_gap="auto")
    with pytest.warns(DataWarning, match="max_gap is 3000s, found by the steps between rows"):
        assert decided(rules, StepCounts.of([minutes(9)]), is_dates=True).max_gap == "3000s"
    none = decided(rules, StepCounts.of([np.arange(5.0)]), is_dates=False)
    assert none == ReadingRules()


def test_durations_are_read_and_others_refused():
    for text, seconds in (
        ("5D", 432_000), ("1h30min", 5400), ("1 day", 86_400), ("2 weeks", 1_209_600),
        ("02:00", 7200), ("0:00:01.5", 1.5), ("250ms", 0.25), ("90 s", 90), ("1H", 3600),
    ):  # fmt: skip
        assert as_span("x", text) == (pytest.approx(seconds), True)
    assert as_span("x", 5) == as_span("x", "5") == (5.0, False)
    for text in ("soon", "5 apples", "", "D", "5D later", "1h-2h", "nan h"):
        with pytest.raises(ConfigError, match=r"x is .*; it must be a duration such as 5D"):
            as_span("x", text)
    for value in ("0s", "-5D", 0, -1.0, float("inf")):
        with pytest.raises(ConfigError, match="it must be above 0"):
            as_span("x", value)
    assert steps(np.array([2, 5], np.uint8)).tolist() == [3.0]
    with pytest.raises(ConfigError, match=r"resample is '5'; it must be a duration such as 1s\."):
        ReadingRules(resample="5")


@anything
@given(series(), st.sampled_from(["gap", "ffill"]))
def test_no_segment_holds_what_is_missing_and_each_row_finds_its_place(given_series, missing):
    values, _ = given_series
    rules = ReadingRules(missing=missing, max_fill=1)
    names = tuple("abc"[: values.shape[1]])
    frame = pd.DataFrame(values, columns=names)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            panel = as_panel(frame, Schema.numeric(names), rules=rules)
    except DataError:
        assume(False)  # no row is complete
    assert np.isfinite(panel.values).all()
    back = panel.give(panel.values[:, 0], ["x"], missing=-1)
    assert len(back) == len(frame)
    there = ~np.isnan(values[:, 0]) & back.notna().to_numpy()
    np.testing.assert_array_equal(back[there], values[there, 0])
    rows = panel.ends(2)
    given_rows = panel.give_rows(panel.values[rows], rows, list(names))
    place = np.arange(len(frame)) if panel.place is None else panel.place
    assert given_rows.index.tolist() == [np.flatnonzero(place == row)[0] for row in rows]


def test_what_was_done_is_said_once_for_each_kind():
    values = np.arange(24.0).reshape(12, 2)
    values[:2, 0] = values[6, 1] = np.nan
    times = np.arange(12.0) + np.where(np.arange(12) > 8, 50, 0)
    rules = ReadingRules(missing="gap", max_gap=5)
    with pytest.warns(DataWarning) as said:
        found = segments_of(values, np.array([0, 12]), times, rules=rules, names=["a", "b"])
    assert [str(one.message) for one in said] == [
        "left out 2 rows at the beginning, since a is missing there",
        "left out 1 row, since b is missing there; the series falls into 3 segments",
        "1 gap longer than max_gap 5 splits the series into 3 segments",
    ]
    assert found.offsets.tolist() == [0, 4, 6, 9]
    assert found.rows.tolist() == [2, 3, 4, 5, 7, 8, 9, 10, 11]


@pytest.mark.parametrize("convert", [lambda frame: frame, pl.from_pandas])
def test_columns_that_say_nothing_are_left_out_of_frames(convert):
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.standard_normal((40, 2)), columns=["a", "b"]).assign(
        k=3.0, e=np.nan
    )
    with pytest.warns(DataWarning) as said:
        source = panel_source(convert(frame))
    assert source.schema.names == ("a", "b")
    notes = [str(one.message) for one in said if "left out" in str(one.message)]
    assert notes == ["left out, since they are empty: e", "left out, since they are constant: k"]
    with pytest.warns(DataWarning, match="are empty: e"):
        assert panel_source(convert(frame), named=["k"]).schema.names == ("a", "b", "k")
    with pytest.raises(DataError, match="Columns 'e' are empty"):
        panel_source(convert(frame), named=["e"])
    with pytest.raises(DataError, match="Columns 'e' are empty"):
        panel_source(convert(frame[["e"]]))
    # What is constant in each instrument, and differs between them, is no feature either.
    frame = frame.assign(symbol=["x", "y"] * 20, k=[1.0, 2.0] * 20).drop(columns="e")
    with pytest.warns(DataWarning, match="are constant: k"):
        assert panel_source(convert(frame), by="symbol").schema.names == ("a", "b")


def test_repeating_times_of_many_instruments_are_told_apart():
    day = pd.date_range("2024-01-01", periods=4)
    frame = pd.DataFrame(
        {
            "date": [*day, *day],
            "kind": list("uvwxuvwx"),
            "ticker": list("ppppqqqq"),
            "a": 1.0,
            "b": 2.0,
        }
    )
    with pytest.raises(
        DataError, match=r"Row 4 goes back .*If 'ticker' names instruments.*--by ti"
    ):
        as_panel(frame, AB)
    mixed = frame.sort_values("date", kind="stable")
    with pytest.raises(
        DataError, match=r"Row 1 repeats .*If 'ticker' names instruments.*--repeated"
    ):
        as_panel(mixed, AB)
    assert len(as_panel(mixed, AB, rules=ReadingRules(repeated="keep")).values) == 8
    assert as_panel(mixed, AB, by="ticker").instruments == ("p", "q")
    again = pd.concat([frame, frame.iloc[[3]]]).sort_values(["ticker", "date"], kind="stable")
    with pytest.raises(DataError, match="Instrument 'p': Row 4 repeats the time"):
        as_panel(again, AB, by="ticker")
    rules = ReadingRules(repeated="keep")
    assert as_panel(again, AB, by="ticker", rules=rules).lengths.tolist() == [5, 4]
    # Newest first, with two rows of one time: still turned.
    with pytest.warns(DataWarning, match="newest first"):
        turned = as_panel(mixed.iloc[::-1], AB, rules=rules)
    assert (np.diff(turned.timestamps) >= np.timedelta64(0)).all()
