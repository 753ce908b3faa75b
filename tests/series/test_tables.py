"""What is decided about tables; `test_every_table.py` reads one of every kind."""

import datetime
import io

import numpy as np
import pandas as pd
import pytest
from encoders import fit_fast
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from places import MODEL
from table_cases import quiet

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
from regimetry.series.times import (
    TimeOptions,
    _plain,
    _readings,
    moment_of_text,
    readings_of_texts,
)

T = 90
VALUES = np.column_stack(
    [
        100 * np.exp(0.01 * np.random.default_rng(0).standard_normal(T).cumsum()),
        0.01 + np.random.default_rng(1).random(T) / 50,
    ]
)
DAYS = pd.bdate_range("2019-12-27", periods=T)
SECONDS = DAYS.astype("datetime64[s]").astype(np.int64)


def table_of(name, times, *, newest_first=False, text="x"):
    frame = pd.DataFrame({"note": text, "close": VALUES[:, 0], "range": VALUES[:, 1]})
    frame.insert(0, name, list(times))
    return frame.iloc[::-1].reset_index(drop=True) if newest_first else frame


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
    source, notes = quiet(panel_source, frame)
    assert source.schema.names == ("close", "range")
    assert sum("left out, since they count the rows" in note for note in notes) == 1
    frame.to_csv(tmp_path / "t.csv", index=False)
    said = run("fit", tmp_path / "t.csv", "-o", tmp_path / "m.onnx", "--n-regimes", "2").err
    assert "left out, since they count the rows" in said
    assert rg.load(tmp_path / "m.onnx").schema.names == ("close", "range")


def test_a_counter_that_is_asked_for_is_read():
    frame = pd.DataFrame({"row": np.arange(T), "close": VALUES[:, 0]})
    asked = prepare(Configuration(columns=("row", "close")), frame)
    assert panel_source(asked.data).schema.names == ("row", "close")


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
    stream = shipped.stream()
    assert stream.push(masked[7]).missing == {"range": (1, None)}  # no complete row has come yet
    stream.push(masked[8])
    with pytest.raises(DataError, match="'range' of the row holds nan"):
        stream.push(masked[7])
    assert as_matrix(np.ma.masked_array([[1, 2]], mask=[[0, 1]])).tolist()[0][0] == 1


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_is_an_array(shipped):
    assert shipped.predict(np.matrix(VALUES)).tolist() == shipped.predict(VALUES).tolist()


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
    with pytest.warns(DataWarning, match="no row of training is in regime_"):
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
        min_size=40,
        max_size=90,
    ),
    st.sampled_from(["%Y-%m-%d %H:%M:%S.%f", "%d %b %Y %H:%M:%S.%f", "%Y-%m-%dT%H:%M:%S.%f+01:00"]),
    st.sampled_from(["when", "", "Date", "<TIME>"]),
    st.booleans(),
    st.sampled_from([[], ["--decimal", ","]]),
)
def test_what_predict_writes_joins_to_its_input(tmp_path_factory, moments, form, name, turned, say):
    folder = tmp_path_factory.mktemp("joins")
    table = table_of(name, [f"{m:{form}}" for m in sorted(moments)] + [None] * (T - len(moments)))
    table = table.iloc[: len(moments)].iloc[:: -1 if turned else 1]
    table.to_csv(folder / "t.csv", index=False, decimal=",") if say else table.to_csv(
        folder / "t.csv", index=False
    )
    files = [str(folder / "t.csv"), "-o", str(folder / "o.csv")]
    assert main(["predict", str(MODEL), *files, *say]) == 0
    written = pd.read_csv(io.StringIO((folder / "o.csv").read_text()))
    joined = table.rename(columns={"": "time"}).merge(written, on=name or "time", how="inner")
    assert len(joined) == len(table) == len(written)
    expected = rg.load(MODEL, threads=1).predict(VALUES[: len(moments)])
    expected = expected[::-1] if turned else expected
    assert joined["regime"].fillna(-1).tolist() == expected.tolist()


@settings(max_examples=10, phases=[Phase.generate])
@given(
    st.lists(st.sampled_from(["NA", "007", "b c"]), min_size=T, max_size=T),
    st.sampled_from(["%Y-%m-%d %H:%M", "%d %b %Y %H:%M", "Date,Time"]),
    st.booleans(),
)
def test_what_predict_writes_joins_by_time_and_instrument(tmp_path_factory, names, form, turned):
    folder = tmp_path_factory.mktemp("joins")
    minutes = pd.date_range("2020-01-30 23:30", periods=T, freq="min")
    times = (
        {"Date": minutes.strftime("%Y.%m.%d"), "Time": minutes.strftime("%H:%M")}
        if form == "Date,Time"
        else {"at": minutes.strftime(form)}
    )
    table = pd.DataFrame({**times, "symbol": names, "close": VALUES[:, 0], "range": VALUES[:, 1]})
    table = table.iloc[:: -1 if turned else 1]
    table.to_csv(folder / "t.csv", index=False)
    files = [str(folder / "t.csv"), "-o", str(folder / "o.csv")]
    assert main(["predict", str(MODEL), *files, "--by", "symbol"]) == 0
    written = pd.read_csv(folder / "o.csv", dtype={"symbol": str}, keep_default_na=False)
    keys = [*times, "symbol"]
    assert written[keys].to_numpy().tolist() == table[keys].to_numpy().tolist()
    model = rg.load(MODEL, threads=1)
    for name in set(names):
        mine = np.array(names) == name
        expected = model.predict({name: VALUES[mine]})[name]
        found = written["regime"][written["symbol"] == name].replace("", "-1").astype(float)
        assert found.tolist() == (expected[::-1] if turned else expected).tolist()
