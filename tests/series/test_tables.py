"""Tables as people have them: what comes out through Python, ``fit`` and ``predict`` alike."""

import datetime
import io
import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from encoders import fit_fast
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from places import MODEL

import regimetry as rg
from regimetry.cli import main
from regimetry.cli.bar_lines import CsvReader
from regimetry.configuration import Configuration
from regimetry.configuration.prepare import prepare
from regimetry.errors import DataError, DataWarning
from regimetry.fit.source import panel_source
from regimetry.series.matrix import as_matrix
from regimetry.series.numbers import numbers_of_texts
from regimetry.series.schema import Schema
from regimetry.series.table_files import read_table
from regimetry.series.time_column import find_time
from regimetry.series.times import (
    TimeOptions,
    _plain,
    _readings,
    moment_of_text,
    readings_of_texts,
)

T = 60
VALUES = np.column_stack(
    [
        100 * np.exp(0.01 * np.random.default_rng(0).standard_normal(T).cumsum()),
        0.01 + np.random.default_rng(1).random(T) / 50,
    ]
)
DAYS = pd.bdate_range("2019-12-27", periods=T)
MONTHS = pd.date_range("2000-01-01", periods=T, freq="MS")
MINUTES = pd.date_range("2020-02-01 23:30", periods=T, freq="min")
SECONDS = DAYS.astype("datetime64[s]").astype(np.int64)

# name of the column, its values in rising order, what the first and the last mean
TIMES = {
    "ISO": ("Trade Date", DAYS.strftime("%Y-%m-%d"), DAYS),
    "no name": ("", DAYS.strftime("%Y-%m-%d"), DAYS),
    "to the minute": ("Gmt time", MINUTES.strftime("%d.%m.%Y %H:%M:00.000"), MINUTES),
    "dots": ("<DATE>", DAYS.strftime("%Y.%m.%d"), DAYS),
    "German": ("Datum", DAYS.strftime("%d.%m.%Y"), DAYS),
    "American": ("Date", DAYS.strftime("%m/%d/%Y"), DAYS),
    "without zeros": ("t", [f"{d.month}/{d.day}/{d.year}" for d in DAYS], DAYS),
    "short years": ("t", DAYS.strftime("%d/%m/%y"), DAYS),
    "names of months": ("Date", DAYS.strftime("%b %d, %Y"), DAYS),
    "day and month": ("Date", DAYS.strftime("%d-%b-%Y"), DAYS),
    "half days": ("Date", MINUTES.strftime("%m/%d/%Y %I:%M %p"), MINUTES),
    "months, day first": ("Date", MONTHS.strftime("%d/%m/%Y"), MONTHS),
    "months, ISO": ("Month", MONTHS.strftime("%Y-%m"), MONTHS),
    "UTC": ("DateTime (UTC)", MINUTES.strftime("%Y-%m-%dT%H:%M:%SZ"), MINUTES),
    "zone": (
        "when",
        (MINUTES + pd.Timedelta("2h")).strftime("%Y-%m-%d %H:%M:%S+02:00"),
        MINUTES,
    ),
    "mixed precision": (
        "t",
        [("%s.%06d" if i % 2 else "%s%.0s") % (m.isoformat(), i) for i, m in enumerate(MINUTES)],
        [MINUTES[0], MINUTES[-1] + pd.Timedelta(T - 1, "us")],
    ),
    "seconds": ("Open time", SECONDS, DAYS),
    "milliseconds": ("k", SECONDS * 1000, DAYS),
    "nanoseconds": ("ts", SECONDS * 10**9, DAYS),
    "yyyymmdd": ("DATE", DAYS.strftime("%Y%m%d").astype(int), DAYS),
}


def table_of(name, times, *, newest_first=False, text="x"):
    frame = pd.DataFrame({"note": text, "close": VALUES[:, 0], "range": VALUES[:, 1]})
    frame.insert(0, name, list(times))
    return frame.iloc[::-1].reset_index(drop=True) if newest_first else frame


def quiet(call, *arguments, **named):
    """Call, and return the result with the notes."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = call(*arguments, **named)
    return found, [str(one.message) for one in caught if one.category is DataWarning]


@pytest.mark.parametrize("newest_first", [False, True], ids=["rising", "falling"])
@pytest.mark.parametrize("case", TIMES)
def test_time_is_found_by_content(case, newest_first, shipped, tmp_path, run):
    name, texts, moments = TIMES[case]
    table = table_of(name, texts, newest_first=newest_first)
    path, out = tmp_path / "t.csv", tmp_path / "out.csv"
    table.to_csv(path, index=False)
    expected = pd.Series(shipped.predict(VALUES)).where(lambda labels: labels >= 0)
    expected = expected.iloc[::-1] if newest_first else expected

    read, notes = quiet(read_table, path)
    assert read.newest_first is newest_first
    assert read.frame.index[[0, -1]].tolist() == [moments[0], moments[-1]]
    assert read.frame["close"].tolist() == VALUES[:, 0].tolist()
    assert any("newest first" in note for note in notes) is newest_first

    frame = pd.read_csv(path)
    labels, notes = quiet(shipped.predict, frame)
    assert labels.index.equals(frame.index)
    assert labels.astype("float").tolist() == pytest.approx(expected.tolist(), nan_ok=True)
    assert any("newest first" in note for note in notes) is newest_first
    labels, _ = quiet(shipped.predict, pl.from_pandas(frame))
    np.testing.assert_array_equal(labels.to_numpy(), expected.to_numpy(float))
    source, _ = quiet(panel_source, frame)
    assert source.schema.names == ("close", "range")
    assert source.panel.values[:, 0].tolist() == VALUES[:, 0].tolist()

    said = run("predict", MODEL, path, "-o", out).err
    assert ("newest first" in said) is newest_first
    written = pd.read_csv(out, dtype={0: str})
    assert written.columns[0] == (name or "time")
    assert written.iloc[:, 0].astype(str).tolist() == table[name].astype(str).tolist()
    assert written["regime"].tolist() == pytest.approx(expected.tolist(), nan_ok=True)


FRAMES = {
    "dates as index": lambda f: f.set_index(pd.Index([d.date() for d in DAYS])),
    "text as index": lambda f: f.set_index(pd.Index(DAYS.strftime("%d.%m.%Y"), name="d")),
    "zoned index": lambda f: f.set_index(DAYS.tz_localize("Europe/Berlin")),
    "periods": lambda f: f.set_index(DAYS.to_period("D")),
    "dates as column": lambda f: f.assign(day=[d.date() for d in DAYS]),
    "polars dates": lambda f: pl.from_pandas(f).with_columns(d=pl.Series(DAYS).cast(pl.Date)),
    "polars zone": lambda f: pl.from_pandas(f).with_columns(
        d=pl.Series(DAYS).dt.replace_time_zone("Asia/Tokyo")
    ),
    "Arrow": lambda f: pl.from_pandas(f).with_columns(d=pl.Series(DAYS)).to_arrow(),
    "epochs as index": lambda f: f.set_index(pd.Index(SECONDS)),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_may_hold_its_times_anyhow(kind, shipped):
    frame = FRAMES[kind](pd.DataFrame(VALUES, columns=["close", "range"]))
    turned = frame[::-1] if not hasattr(frame, "take") else frame.take(list(range(T))[::-1])
    expected = shipped.predict(VALUES)[::-1].astype(float)
    expected[expected < 0] = np.nan
    with pytest.warns(DataWarning, match="newest first"):
        labels = shipped.predict(turned)
    np.testing.assert_array_equal(np.array(labels.to_numpy(), dtype=float), expected)
    found = find_time(frame)
    assert found.times[0].astype("datetime64[D]") in (DAYS[0], DAYS[0] - pd.Timedelta("1D"))
    with pytest.warns(DataWarning, match="newest first"):
        embeddings = shipped.embed(turned)
    np.testing.assert_allclose(np.asarray(embeddings)[::-1], shipped.embed(VALUES), atol=1e-5)


def test_a_fit_reads_newest_first_as_it_reads_rising():
    frame = pd.DataFrame(rg.simulate("s2", n_rows=400, seed=0).values, columns=list("abc"))
    frame.index = pd.Index(pd.date_range("2020", periods=400).strftime("%m/%d/%Y"))
    rising = fit_fast(frame, window_size=10, n_regimes=2)
    with pytest.warns(DataWarning, match="newest first"):
        falling = fit_fast(frame[::-1], window_size=10, n_regimes=2)
    assert falling.labels_.tolist() == rising.labels_[::-1].tolist()
    assert falling.model_.contract.fingerprint == rising.model_.contract.fingerprint


def test_instruments_that_all_fall_are_turned_together(shipped):
    one = table_of("day", DAYS.strftime("%d/%m/%Y"), newest_first=True).drop(columns="note")
    frame = pd.concat([one.assign(symbol="b"), one.assign(symbol="a", close=one["close"] * 2)])
    frame = frame.sort_values(
        "day", kind="stable", key=lambda days: pd.to_datetime(days, dayfirst=True)
    )
    frame = frame.iloc[::-1].reset_index(drop=True)
    with pytest.warns(DataWarning, match="newest first"):
        labels = shipped.predict(frame, by="symbol")
    for symbol, factor in (("a", 2), ("b", 1)):
        expected = shipped.predict(VALUES * [factor, 1])[::-1]
        mine = labels[frame["symbol"] == symbol].fillna(-1)
        assert mine.tolist() == expected.tolist()
    with pytest.warns(DataWarning, match="newest first"):
        each = shipped.predict({"a": one, "b": one[::-1]})
    assert each["a"].fillna(-1).tolist() == each["b"].fillna(-1).tolist()[::-1]


REFUSED = {
    "out of order": (["2020-01-01", "2020-01-03", "2020-01-02"], "Row 2 goes back in time"),
    "repeated": (["2020-01-03", "2020-01-03", "2020-01-02"], "Row 1 repeats the time"),
    "two orders": (["01/01/2000", "01/02/2000", "01/03/2000"], "--day-first true or false"),
    "no time": (["2020-01-01", "2020-01-02", "soon"], "Row 2, column 'date' holds 'soon'"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_one_order_is_refused(case, tmp_path, refuses):
    times, message = REFUSED[case]
    frame = pd.DataFrame({"date": times, "close": [1.0, 2, 3], "range": [1.0, 2, 4]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises(DataError, match=message):
        find_time(frame)
    refuses(message, "predict", MODEL, tmp_path / "t.csv")
    refuses(message, "fit", tmp_path / "t.csv", "-o", tmp_path / "m.onnx")


@pytest.mark.parametrize(
    ("options", "day"),
    [(("--day-first", "true"), "2000-02-01"), (("--day-first", "false"), "2000-01-02"),
     (("--time-format", "%m/%d/%Y"), "2000-01-02")],
)  # fmt: skip
def test_the_order_of_day_and_month_can_be_said(options, day, tmp_path, run):
    table_of("date", [f"01/{1 + i % 12:02}/{2000 + i // 12}" for i in range(T)])[:12].to_csv(
        tmp_path / "t.csv", index=False
    )
    given = {options[0]: options[1]}
    read = read_table(
        tmp_path / "t.csv",
        TimeOptions(
            day_first={"true": True, "false": False}.get(given.get("--day-first")),
            time_format=given.get("--time-format"),
        ),
    )
    assert read.frame.index[1] == pd.Timestamp(day)
    said = run("predict", MODEL, tmp_path / "t.csv", *options, code=2).err
    assert "both orders" not in said  # but 12 rows are no window


def test_a_table_without_times_is_said_to_be_one(tmp_path, shipped):
    table_of("words", ["a", "b"] * (T // 2)).to_csv(tmp_path / "t.csv", index=False)
    with pytest.warns(DataWarning, match=r"No column reads as a time.*words, note, close, range"):
        assert read_table(tmp_path / "t.csv").came is None
    shipped.predict(VALUES)  # an array has none, and nothing is said


def test_an_index_of_instruments_and_times_wants_by(shipped):
    index = pd.MultiIndex.from_product([["x", "y"], DAYS[: T // 2]], names=["symbol", "date"])
    frame = pd.DataFrame(VALUES, columns=["close", "range"], index=index)
    with pytest.raises(DataError, match="by='symbol'"):
        shipped.predict(frame)
    labels = shipped.predict(frame, by="symbol")
    assert labels.index.equals(index)
    for number, symbol in enumerate(["x", "y"]):
        part = VALUES[number * T // 2 :][: T // 2]
        assert labels[symbol].fillna(-1).tolist() == shipped.predict(part).tolist()
    assert panel_source(frame, by="symbol").panel.instruments == ("x", "y")


def test_open_and_close_times_are_no_features():
    frame = (
        table_of("Open time", SECONDS * 1000)
        .drop(columns="note")
        .assign(**{"Close time": SECONDS * 1000 + 999})
    )
    with pytest.warns(DataWarning, match="in the order of 'Open time'"):
        source = panel_source(frame)
    assert source.schema.names == ("close", "range")


def test_labels_join_back_by_a_zoned_index_without_a_name(tmp_path, run):
    frame = pd.DataFrame(VALUES, columns=["close", "range"], index=DAYS.tz_localize("Asia/Tokyo"))
    frame.to_parquet(tmp_path / "t.parquet")
    for suffix in ("parquet", "csv"):
        run("predict", MODEL, tmp_path / "t.parquet", "-o", tmp_path / f"o.{suffix}")
    assert pd.read_parquet(tmp_path / "o.parquet").index.name == "time"
    assert pd.read_parquet(tmp_path / "o.parquet").index.equals(frame.index)
    assert pd.read_csv(tmp_path / "o.csv")["time"][0] == "2019-12-27 00:00:00+09:00"


@pytest.mark.parametrize("name", ["", "row", "Unnamed: 0"])
def test_a_counter_of_rows_is_no_feature(name, tmp_path, run):
    counter = np.arange(T) * (1 if name == "row" else 3)
    frame = pd.DataFrame({name: counter, "close": VALUES[:, 0], "range": VALUES[:, 1]})
    with pytest.warns(DataWarning, match="left out, since they count the rows"):
        assert panel_source(frame).schema.names == ("close", "range")
    frame.to_csv(tmp_path / "t.csv", index=False)
    said = run("fit", tmp_path / "t.csv", "-o", tmp_path / "m.onnx", "--n-regimes", "2").err
    assert "left out, since they count the rows" in said
    assert rg.load(tmp_path / "m.onnx").schema.names == ("close", "range")


def test_a_counter_that_is_asked_for_is_read():
    frame = pd.DataFrame({"row": np.arange(T), "close": VALUES[:, 0]})
    asked = prepare(Configuration(columns=("row", "close")), frame)
    assert panel_source(asked.data).schema.names == ("row", "close")


@pytest.mark.parametrize(
    "text",
    ["2020-01-01,1.5,2\n2020-01-02,1,2\n2020-01-03,3,2\n", "1.5,2.5\n1,2\n2,3\n3,4\n",
     "1.5,1.5,1.5\n1,2,3\n1,2,3\n"],
)  # fmt: skip
def test_a_file_without_a_header_is_refused(text, tmp_path, refuses):
    (tmp_path / "t.csv").write_text(text)
    message = "values, where the names of the columns belong. Write a line of names above them"
    refuses(message, "fit", tmp_path / "t.csv", "-o", tmp_path / "m.onnx")
    refuses(message, "predict", MODEL, tmp_path / "t.csv")


def test_numbers_may_count_the_columns(tmp_path):
    pd.DataFrame(VALUES, index=DAYS).to_csv(tmp_path / "t.csv")
    assert read_table(tmp_path / "t.csv").frame.columns.tolist() == ["0", "1"]


PEOPLE = {
    "2,001.51": 2001.51, "$1,234.50": 1234.5, "0.5%": 0.005, "1.2M": 1.2e6, "3K": 3e3,
    "(7.25)": -7.25, "-\u20ac 4": -4, "1'234.5": 1234.5, "1 234": 1234, " 7 ": 7,
    "1e5": 1e5, "12": 12,
}  # fmt: skip


@pytest.mark.parametrize("text", PEOPLE)
def test_numbers_written_for_people_are_read(text, tmp_path):
    values, read = numbers_of_texts([text, None, "-", "twelve", "1,5", "1_0"])
    assert read.tolist() == [True, True, True, False, False, False]
    assert values[0] == pytest.approx(PEOPLE[text])
    assert np.isnan(values[1:]).all()
    frame = table_of("day", DAYS.strftime("%Y-%m-%d")).drop(columns="note")
    frame["close"] = [f"{abs(v):,.4f}" if i else text for i, v in enumerate(1e5 + VALUES[:, 0])]
    with pytest.warns(DataWarning, match="read as numbers, though they are text: close"):
        source = panel_source(frame)
    assert source.panel.values[:2, 0] == pytest.approx([PEOPLE[text], 1e5 + VALUES[1, 0]], abs=1e-4)
    frame.to_csv(tmp_path / "t.csv", index=False)
    with pytest.warns(DataWarning, match="read as numbers, though they are text: close"):
        assert read_table(tmp_path / "t.csv").frame["close"].iloc[0] == pytest.approx(PEOPLE[text])
    bar = CsvReader("close,range", Schema.numeric(("close", "range"))).bar(f'"{text}",1')
    assert bar.row["close"] == pytest.approx(PEOPLE[text])


def test_a_column_of_decimal_commas_is_refused_and_not_dropped(tmp_path, refuses):
    frame = table_of("day", DAYS.strftime("%Y-%m-%d")).drop(columns="note")
    frame["close"] = [f"{value:.2f}".replace(".", ",") for value in VALUES[:, 0]]
    with pytest.raises(DataError, match=r"Row 0, column 'close' holds.*decimal comma"):
        panel_source(frame)
    frame.to_csv(tmp_path / "t.csv", index=False)
    refuses("decimal comma", "fit", tmp_path / "t.csv", "-o", tmp_path / "m.onnx")


def test_what_is_masked_is_missing(shipped):
    masked = np.ma.masked_array(VALUES, mask=np.zeros_like(VALUES, bool))
    assert shipped.predict(masked).tolist() == shipped.predict(VALUES).tolist()
    masked[7, 1] = np.ma.masked
    with pytest.raises(DataError, match="Row 7, column 'range' holds nan"):
        shipped.predict(masked)
    with pytest.raises(DataError, match="'range' of the row holds nan"):
        shipped.stream().push(masked[7])
    assert as_matrix(np.ma.masked_array([[1, 2]], mask=[[0, 1]])).tolist()[0][0] == 1


def test_an_array_with_coordinates_is_refused(shipped):
    class Labelled:
        dims, coords = ("time", "column"), {"column": ["range", "close"]}

        def __array__(self, *_args, **_named):
            return VALUES[:, ::-1]

    with pytest.raises(DataError, match=r"a Labelled with coordinates.*to_pandas"):
        shipped.predict(Labelled())


@pytest.mark.parametrize(
    ("column", "message"),
    [(1e8 + np.arange(400.0) * 97 % 701, "'x' holds values up to 1.*e.08 that differ by too"),
     (1e300 * np.arange(400.0), "Row 1, column 'x' holds 1e.300; every value must be finite")],
)  # fmt: skip
def test_what_float32_loses_is_refused_at_the_fit(column, message):
    noise = np.random.default_rng(2).standard_normal(400)
    with pytest.raises(DataError, match=message):
        fit_fast(pd.DataFrame({"y": noise, "x": column}), window_size=10, n_regimes=2)


def test_regimes_without_a_bar_are_said(tmp_path, answer):
    series = rg.simulate("s2", n_rows=400, seed=0).values
    given = {"window_size": 10, "n_regimes": 3, "jump_penalty": 1e6}
    with pytest.warns(DataWarning, match="no bar of training is in regime_"):
        fit_fast(series, **given)
    pd.DataFrame(series).to_csv(tmp_path / "t.csv", index=False)
    flags = [
        part for name, value in given.items() for part in (f"--{name.replace('_', '-')}", value)
    ]
    found = answer("fit", tmp_path / "t.csv", "-o", tmp_path / "m.onnx", *flags)
    empty = [regime["name"] for regime in found["regimes"] if regime["share"] == 0]
    assert found["regimes_without_bars"] == empty != []


FORMS = ("%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d", "%Y%m%d", "%d-%b-%Y %H:%M",
         "%B %d, %Y", "%a, %d %b %Y %H:%M:%S", "%Y/%m/%d %I:%M %p", "%Y.%m.%d %H:%M")  # fmt: skip


@given(
    st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2200, 1, 1)),
    st.sampled_from(FORMS),
)
def test_a_text_means_what_strptime_says(moment, form):
    text = moment.strftime(form)
    assert moment_of_text(text) == np.datetime64(datetime.datetime.strptime(text, form))


NO_TIME = ("2020-02-30 00:00:00", "2020-01-01 24:00:00")


@given(
    st.lists(
        st.datetimes().map(lambda moment: moment.replace(microsecond=0).isoformat(" "))
        | st.sampled_from([*NO_TIME, "2020-01-01T00:00:00"]),
        min_size=1,
    ),
    st.sampled_from([10, 19]),
)
def test_the_fast_way_reads_what_the_slow_one_does(texts, length):
    texts = [text[:length] for text in texts]
    fast, (slow,) = _plain(texts), _readings(texts, TimeOptions())
    assert (fast is not None) == (not np.isnat(slow).any() and "T" not in "".join(texts))
    assert fast is None or np.array_equal(fast, slow)


@given(st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(2068, 1, 1)),
       st.sampled_from(["%d/%m/%Y", "%d.%m.%y", "%d-%m-%Y %H:%M"]))  # fmt: skip
def test_the_order_that_is_said_is_read(moment, form):
    text = moment.strftime(form)
    (read,) = readings_of_texts([text], TimeOptions(day_first=True))
    assert read[0] == np.datetime64(datetime.datetime.strptime(text, form))


@settings(max_examples=15, phases=[Phase.generate])
@given(
    st.sets(
        st.datetimes(datetime.datetime(1990, 1, 1), datetime.datetime(2090, 1, 1)),
        min_size=30,
        max_size=60,
    ),
    st.sampled_from(["%Y-%m-%d %H:%M:%S.%f", "%d %b %Y %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f+01:00"]),
    st.sampled_from(["when", "", "Date", "<TIME>"]),
    st.booleans(),
)
def test_what_predict_writes_joins_to_its_input(tmp_path_factory, moments, form, name, turned):
    folder = tmp_path_factory.mktemp("joins")
    table = table_of(name, [f"{m:{form}}" for m in sorted(moments)] + [None] * (T - len(moments)))
    table = table.iloc[: len(moments)].iloc[:: -1 if turned else 1]
    table.to_csv(folder / "t.csv", index=False)
    assert main(["predict", str(MODEL), str(folder / "t.csv"), "-o", str(folder / "o.csv")]) == 0
    written = pd.read_csv(io.StringIO((folder / "o.csv").read_text()))
    joined = table.rename(columns={"": "time"}).merge(written, on=name or "time", how="inner")
    assert len(joined) == len(table) == len(written)
    expected = rg.load(MODEL, threads=1).predict(VALUES[: len(moments)])
    expected = expected[::-1] if turned else expected
    assert joined["regime"].fillna(-1).tolist() == expected.tolist()
