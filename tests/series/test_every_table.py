"""Each kind of file and frame through Python, `fit`, `predict` and `stream` alike."""

import json
import sys
import warnings
from contextlib import suppress
from io import BytesIO, TextIOWrapper

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from places import MODEL
from table_cases import (
    DAYS,
    FILES,
    FRAMES,
    JOINED,
    NAMES,
    NEWEST,
    REFUSED,
    UNREADABLE,
    VALUES,
    WITHOUT_THE_COLUMNS,
    T,
    quiet,
)

from regimetry.configuration.fields import from_text
from regimetry.configuration.prepare import prepare
from regimetry.configuration.reading import resolve
from regimetry.errors import ConfigError, DataError, DataWarning
from regimetry.fit.source import panel_source
from regimetry.runtime.model import load
from regimetry.series.file_options import FileOptions
from regimetry.series.table_files import read_table
from regimetry.series.time_options import TimeOptions


def agree(notes, parts):
    assert len(notes) == len(parts), notes
    assert all(any(part in note for note in notes) for part in parts), notes


@pytest.fixture(scope="module")
def expected(shipped):
    """Labels by row, NaN where missing."""
    labels = shipped.predict(VALUES).astype(float)
    labels[labels < 0] = np.nan
    return labels


@pytest.fixture
def feed(run, monkeypatch):
    """Run a verb on bytes as its standard input."""

    def call(content, *arguments, code=0):
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(content)))
        return run(*arguments, code=code)

    return call


def configuration_of(flags):
    names = {flag: flag.removeprefix("--").replace("-", "_") for flag in flags}
    return resolve(None, {names[flag]: from_text(names[flag], flags[flag]) for flag in flags})


@pytest.mark.parametrize("kind", FILES)
def test_a_file_is_read_alike_by_every_reader(kind, expected, shipped, tmp_path, run, feed):
    case = FILES[kind]
    path, flags = tmp_path / case.name, [part for pair in case.flags.items() for part in pair]
    path.write_bytes(case.content)
    came = (expected[::-1] if case.newest_first else expected).tolist()

    configuration = configuration_of(case.flags)
    read, first = quiet(read_table, path, FileOptions.of(configuration))
    prepared, second = quiet(prepare, configuration, read.frame)
    agree([*first, *second], case.says)
    assert read.newest_first is case.newest_first
    source, _ = quiet(panel_source, prepared.data)
    assert source.schema.names == tuple(NAMES)
    np.testing.assert_allclose(source.panel.values, VALUES, rtol=1e-12)
    times = source.panel.timestamps
    assert (times is None) is (case.times is None)
    assert times is None or pd.DatetimeIndex(times).tolist() == [*case.times]

    found = json.loads(run("predict", MODEL, path, *flags, "--json").out)
    bars = found["bars"]
    np.testing.assert_array_equal(np.array(bars["regime"], float), came)
    agree(found["notes"], [part for part in case.says if "not numbers" not in part])
    piped = json.loads(feed(case.content, "predict", MODEL, "-", *flags, "--json").out)
    assert piped["bars"] == bars

    if kind.startswith(("times", "newest")):  # what pandas reads as it is
        labels, notes = quiet(shipped.predict, pd.read_csv(path))
        np.testing.assert_array_equal(labels.to_numpy(float, na_value=np.nan), came)
        agree(notes, case.says)

    if case.streams:
        lines = feed(case.content, "stream", MODEL, *flags).out.splitlines()
        answers = [json.loads(line) for line in lines]
        assert [answer.get("error") for answer in answers] == [None] * T
        assert [answer["regime"] for answer in answers] == bars["regime"]
        if case.times is not None and kind != "Stooq":  # whose 000000 a table takes for a number
            assert [str(answer["time"]) for answer in answers] == bars["time"]


@pytest.mark.parametrize("kind", REFUSED)
def test_a_file_that_is_refused_is_told_the_remedy(kind, tmp_path, refuses, feed):
    content, message = REFUSED[kind]
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        with pytest.raises(DataError) as caught:
            read_table(path)
    assert message.replace("{}", str(path)) in str(caught.value)
    told = refuses(message.replace("{}", str(path)), "predict", MODEL, path)
    assert told == refuses(str(caught.value), "fit", path, "-o", tmp_path / "m.onnx")
    piped = feed(content, "predict", MODEL, "-", code=2).err
    assert message.replace("{}", "Standard input") in piped


@pytest.mark.parametrize(
    ("name", "message"),
    [("t.xlsx", "is an Excel workbook. Save the sheet as CSV"), ("T.XLS", "is an Excel workbook"),
     ("t.dat", "'.dat'; it must be one of .csv, .tsv"), ("t.csv.bz2", "ends in '.bz2'"),
     ("none.csv", "There is no file")],
)  # fmt: skip
def test_a_name_that_is_refused(name, message, tmp_path, refuses):
    if not name.startswith("none"):
        (tmp_path / name).write_bytes(b"")
    refuses(message, "predict", MODEL, tmp_path / name)


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_is_read_alike_by_every_reader(kind, expected, shipped, tmp_path, run):
    frame = FRAMES[kind]
    labels, notes = quiet(shipped.predict, frame)
    if isinstance(frame, pd.DataFrame):
        assert labels.index.equals(frame.index)
    np.testing.assert_array_equal(np.array(labels.to_numpy(), float), expected)
    agree(notes, [JOINED] if kind == "days and times" else [])
    source, _ = quiet(panel_source, frame)
    assert source.schema.names == tuple(NAMES)
    np.testing.assert_allclose(source.panel.values, VALUES, rtol=1e-12)
    days = pd.DatetimeIndex(source.panel.timestamps)
    assert (abs(days - DAYS) < pd.Timedelta("1D")).all()
    if not hasattr(frame, "take"):  # lazy, or a capsule: it has no rows to turn
        return
    backwards, notes = quiet(shipped.predict, frame.take(list(range(T))[::-1]))
    np.testing.assert_array_equal(np.array(backwards.to_numpy(), float), expected[::-1])
    assert any(NEWEST in note for note in notes)
    embeddings, _ = quiet(shipped.embed, frame, every_bar=True)
    assert len(embeddings) == T


@pytest.mark.parametrize("kind", [*UNREADABLE, *WITHOUT_THE_COLUMNS])
def test_what_is_no_frame_is_refused_in_words(kind, shipped):
    data, message = {**UNREADABLE, **WITHOUT_THE_COLUMNS}[kind]
    with pytest.raises(DataError, match=message):
        shipped.predict(data)
    if kind in UNREADABLE:
        with pytest.raises(DataError, match=message):
            panel_source(data)


def test_the_times_of_a_frame_may_be_described(shipped):
    texts = [f"01/{1 + i % 12:02}/{2000 + i // 12}" for i in range(T)]
    frame = pd.DataFrame(VALUES, columns=NAMES).assign(at=texts)
    for told, day in (
        ({"day_first": True}, "2000-02-01"),
        ({"day_first": False}, "2000-01-02"),
        ({"time_format": "%d/%m/%Y", "time_column": "at"}, "2000-02-01"),
    ):
        labels, notes = quiet(shipped.predict, frame, **told)
        assert (notes, len(labels)) == ([], T)
        source, _ = quiet(panel_source, frame, time=TimeOptions(**told))
        assert source.panel.timestamps[1] == np.datetime64(day)
    with pytest.raises(DataError, match="'when' is missing"):
        shipped.label(frame, time_column="when")
    with pytest.raises(ConfigError, match="day_first is 'false'; it must be"):
        shipped.predict(frame, day_first="false")
    with pytest.raises(DataError, match="an array, which has none"):
        shipped.predict(VALUES, day_first=True)


def test_rows_without_times_are_said_where_a_column_could_hold_them(shipped):
    frame = pd.DataFrame(VALUES, columns=NAMES)
    assert quiet(shipped.predict, frame)[1] == []
    assert quiet(shipped.predict, frame.assign(x=VALUES[:, 0]))[1] == []
    for left in (["a"] * T, np.arange(T) * 1.5):
        _, notes = quiet(shipped.predict, frame.assign(x=left))
        agree(notes, ["No column reads as a time"])


@pytest.mark.parametrize(
    ("flags", "message"),
    [(("--separator", ";;"), "one ASCII character, tab or space"),
     (("--separator", "."), "both '.'"),
     (("--encoding", "klingon"), "which Python does not know"),
     (("--rename", "close"), "it must be OLD=NEW"),
     (("--rename", "x=y"), "There is no column 'x' to rename")],
)  # fmt: skip
def test_flags_that_mean_nothing_are_refused(flags, message, tmp_path, refuses, feed):
    (tmp_path / "t.csv").write_bytes(FILES["times: ISO"].content)
    refuses(message, "predict", MODEL, tmp_path / "t.csv", *flags)
    assert message in feed(FILES["times: ISO"].content, "stream", MODEL, *flags, code=2).err


def test_flags_of_text_are_not_for_folders(tmp_path, refuses):
    (tmp_path / "f").mkdir()
    for flags in (("--decimal", ","), ("--rename", "a=b")):
        refuses(
            "is for a single table", "predict", MODEL, tmp_path / "f", "-o", tmp_path / "o", *flags
        )


def test_a_stream_asks_for_what_one_line_cannot_show(feed):
    commas = FILES["semicolons and commas"].content
    first = json.loads(feed(commas, "stream", MODEL).out.splitlines()[0])
    assert "Say which: --decimal , or --decimal ." in first["error"]
    assert "iconv" in feed(b"", "stream", MODEL, "--encoding", "utf-16", code=2).err


def test_standard_output_takes_a_table(tmp_path, run):
    (tmp_path / "t.csv").write_bytes(FILES["times: ISO"].content)
    plain = run("predict", MODEL, tmp_path / "t.csv").out
    assert run("predict", MODEL, tmp_path / "t.csv", "-o", "-").out == plain
    assert plain.startswith("Trade Date,regime,")
    embedded = run("embed", MODEL, tmp_path / "t.csv", "-o", "-").out.splitlines()
    assert embedded[0].startswith("Trade Date,e0,")
    assert len(embedded) == T - (load(MODEL).rows - 1) + 1


@st.composite
def odd_frames(draw):
    """Frames of any types, names and index, polars among them."""
    values = st.one_of(
        st.integers(), st.floats(), st.text(max_size=3), st.none(), st.booleans(), st.dates(),
        st.datetimes(), st.timedeltas(), st.decimals(-9, 9), st.binary(max_size=2), st.times(),
        st.lists(st.integers(), max_size=2), st.just("2020-01-01"), st.just("1,234.5"),
    )  # fmt: skip
    names = st.one_of(st.sampled_from([*NAMES, "date", "Time", ""]), st.integers(), st.none())
    rows = draw(st.integers(0, 4))
    columns = [*draw(st.sampled_from([[], NAMES])), *draw(st.lists(names, max_size=4))]
    kinds = [draw(st.one_of(values.map(lambda v: [v] * rows), st.lists(values, min_size=rows,
             max_size=rows), st.just(list(range(rows))))) for _ in columns]  # fmt: skip
    frame = pd.DataFrame({i: pd.Series(kind, dtype=object) for i, kind in enumerate(kinds)})
    frame = frame.reindex(range(rows)).set_axis(columns, axis=1)
    for turn in draw(st.sets(st.sampled_from(["infer", "index", "two levels", "polars"]))):
        if turn == "infer":
            frame = frame.infer_objects().convert_dtypes()
        elif turn == "index" and rows:
            frame.index = pd.Index(
                draw(st.lists(values, min_size=rows, max_size=rows)), dtype=object
            )
        elif turn == "two levels" and columns:
            frame.columns = pd.MultiIndex.from_arrays([columns, ["SPY"] * len(columns)])
    if draw(st.booleans()):
        try:
            return pl.DataFrame(
                {str(n): k for n, k in zip(columns, kinds, strict=True)}, strict=False
            )
        except Exception:  # what polars itself does not make
            return frame
    return frame


@settings(max_examples=150)
@given(odd_frames(), st.sampled_from([None, "date", "Time"]))
def test_no_frame_brings_an_error_of_its_library(shipped, frame, by):
    for read in (shipped.predict, panel_source):
        with suppress(DataError):
            quiet(read, frame, by=by)
