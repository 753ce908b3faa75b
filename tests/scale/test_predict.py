"""Parquet to Parquet in one process, against each instrument alone."""

import json
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from places import MODEL
from scale.panels import COLUMNS, LAYOUTS, LENGTHS, assert_labels, label_each, panel, read_labels

import regimetry as rg
from regimetry.errors import ConfigError, DataError, RegimetryError
from regimetry.files import alone
from regimetry.scale import job, predict
from regimetry.scale.results import JOURNAL, RECORD


@pytest.fixture(scope="module")
def frame(values):
    return panel(values)


@pytest.fixture
def folder(tmp_path):
    """Make the folder `in`, of a frame in one of the layouts, or in one file a.parquet."""

    def make(frame, layout=None, **options):
        if layout:
            LAYOUTS[layout](frame, tmp_path / "in")
        else:
            (tmp_path / "in").mkdir(exist_ok=True)
            frame.to_parquet(tmp_path / "in" / "a.parquet", **{"index": False, **options})
        return tmp_path / "in"

    return make


@pytest.fixture
def label(single, folder, tmp_path):
    """Label the folder `in`, first made of what is given, into the folder `out`."""

    def label(*given, **options):
        if given:
            folder(*given)
        call = {"source": tmp_path / "in", "model": single, "output": tmp_path / "out"}
        return predict(**{**call, **options})

    return label


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("rows", [64, 1 << 16])
def test_every_layout_is_labelled_as_each_instrument_alone(
    label, single, frame, tmp_path, layout, rows, monkeypatch
):
    monkeypatch.setattr(job, "MOST_ROWS", rows)
    report = label(frame, layout)
    assert_labels(tmp_path / "out", single, frame)
    expected = label_each(single, frame)
    assert report["rows"] == len(frame) == sum(LENGTHS)
    assert report["instruments"] == len(LENGTHS)
    assert report["short"] == ["I2", "I6"]
    assert report["unlabelled"] == expected["regime"].isna().sum()
    assert list(report["bars"].values()) == [int((expected["regime"] == k).sum()) for k in range(3)]
    assert report["skipped"] == {}
    assert json.loads(json.dumps(report)) == report


def test_the_comparison_can_fail(label, single, frame, tmp_path):
    label(frame, "one")
    changed = frame.copy()
    changed.loc[50, "x1"] += 1e-3
    with pytest.raises(AssertionError):
        assert_labels(tmp_path / "out", single, changed)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_cut_into_files_parts_and_row_groups(
    single, values, tmp_path_factory, monkeypatch, data
):
    folder = tmp_path_factory.mktemp("cut")
    lengths = data.draw(st.lists(st.integers(1, 80), min_size=1, max_size=5))
    frame = panel(values, lengths, seed=data.draw(st.integers(0, 99)))
    frame = frame.sort_values("date", kind="stable", ignore_index=True)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(frame)), max_size=4)))
    (folder / "in").mkdir()
    for number, (first, end) in enumerate(zip([0, *cuts], [*cuts, len(frame)], strict=True)):
        frame[first:end].to_parquet(
            folder / "in" / f"{number}.parquet",
            index=False,
            row_group_size=data.draw(st.integers(1, 100)),
        )
    monkeypatch.setattr(job, "MOST_ROWS", data.draw(st.integers(64, 200)))
    parts = data.draw(st.integers(1, 5))
    predict(folder / "in", single, output=folder / "out", parts=parts)
    assert_labels(folder / "out", single, frame)


def test_outputs_take_the_places_of_their_inputs(label, frame, tmp_path):
    label(frame, "hive")
    inputs, outputs = (
        sorted(path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*.parquet"))
        for name in ("in", "out")
    )
    assert inputs == outputs
    written = pq.read_schema(tmp_path / "out" / inputs[0])
    assert written.names == [
        *["date", "regime", "p_regime_0", "p_regime_1", "p_regime_2", "novelty", "novel"]
    ]
    assert pq.read_metadata(tmp_path / "out" / inputs[0]).row_group(0).column(1).compression == (
        "ZSTD"
    )


def test_regimes_that_have_names_are_called_by_them(label, frame, unfitted, values, tmp_path):
    unfitted("window").set_params(names=["a", "b", "c"]).fit(values).save(tmp_path / "m.onnx")
    label(frame, "one", model=rg.load(tmp_path / "m.onnx", threads=1))
    found = read_labels(tmp_path / "out")
    columns = ["regime", "regime_name", "p_a", "p_b", "p_c", "novelty", "novel"]
    assert found.columns.tolist()[-7:] == columns
    called = found["regime"].map({0: "a", 1: "b", 2: "c"})
    assert found["regime_name"].isna().any()
    np.testing.assert_array_equal(found["regime_name"].fillna(""), called.fillna(""))


def test_parts_hold_whole_instruments(label, frame, tmp_path):
    report = label(frame, "days", parts=3)
    found = [
        pq.read_table(path)["symbol"].unique().to_pylist()
        for path in sorted((tmp_path / "out").glob("part-*-of-00003.parquet"))
    ]
    assert report["units"] == len(found) <= 3
    assert sorted(name for names in found for name in names) == [f"I{i}" for i in range(7)]


def test_a_file_an_instrument_needs_no_instrument_column(label, single, frame, tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("I0", "I3"):
        mine = frame[frame["symbol"] == name].drop(columns="symbol")
        mine.to_parquet(tmp_path / "in" / f"{name}.parquet", index=False)
    label()
    for name in ("I0", "I3"):
        found = pd.read_parquet(tmp_path / "out" / f"{name}.parquet")
        expected = label_each(single, frame[frame["symbol"] == name])
        np.testing.assert_array_equal(found["p_regime_1"], expected["p_regime_1"])
        assert "symbol" not in found


@pytest.mark.parametrize(
    "kind", ["int64", "category", "zone", "text", "day first", "number", "date", "index", "none",
             "float32", "numbers as text"]
)  # fmt: skip
def test_kinds_of_columns(label, folder, single, frame, tmp_path, kind):
    given, options, index = frame.copy(), {}, False
    if kind == "int64":
        given["symbol"] = given["symbol"].str[1:].astype("int64")
    elif kind == "category":
        given["symbol"] = given["symbol"].astype("category")
    elif kind == "numbers as text":
        given["x3"] = [f"{value!r}" for value in given["x3"]]
    elif kind in ("zone", "text", "date", "day first"):
        given["date"] = {
            "zone": given["date"].dt.tz_localize("Europe/Berlin"),
            "text": given["date"].astype(str),
            "day first": given["date"].dt.strftime("%d/%m/%Y"),
            "date": given["date"].dt.date,
        }[kind]
    elif kind == "number":
        given = given.assign(bar=np.arange(len(given))).drop(columns="date")
        options = {"time_column": "bar"}
    elif kind == "index":
        given, index = given.rename(columns={"date": "when"}).set_index("when"), True
    elif kind == "none":
        given = given.drop(columns="date")
    elif kind == "float32":
        given = given.astype(dict.fromkeys(COLUMNS, "float32"))
        frame = given.astype(dict.fromkeys(COLUMNS, "float64"))
    folder(given, index=index)
    label(**options)
    found = pq.read_table(tmp_path / "out" / "a.parquet")
    expected = label_each(single, frame)
    np.testing.assert_array_equal(
        found["regime"].to_pandas().fillna(-1), expected["regime"].fillna(-1)
    )
    np.testing.assert_array_equal(found["novelty"].to_pandas(), expected["novelty"])
    time = options.get("time_column", {"index": "when", "none": None}.get(kind, "date"))
    kept = pq.read_table(tmp_path / "in" / "a.parquet")
    if time is not None:
        assert found[time].equals(kept[time])
    assert found["symbol"].type == (pa.int64() if kind == "int64" else pa.string())


def test_one_reading_of_days_and_months_holds_for_all_files(label, folder, frame, tmp_path):
    """A file of days up to 12 alone is read as the first one shows."""
    texts = frame.assign(date=frame["date"].dt.strftime("%d/%m/%Y"))
    folder(texts)
    late = texts[texts["symbol"] == "I6"].assign(symbol="J")  # the first ten days of January
    late.to_parquet(tmp_path / "in" / "b.parquet", index=False)
    report = label()
    assert report["sorted"] == []
    late.assign(symbol="K").to_parquet(tmp_path / "in" / "a.parquet", index=False)
    with pytest.raises(DataError, match="both orders of day and month give times that rise"):
        label(output=tmp_path / "again")
    again = label(output=tmp_path / "again", day_first=True)
    assert again["rows"] == 2 * len(late)


def test_rows_out_of_order_are_sorted_and_said(label, folder, single, frame, tmp_path):
    folder(frame.sample(frac=1, random_state=0))
    report = label()
    assert report["sorted"] == ["a.parquet"]
    assert_labels(tmp_path / "out", single, frame)
    found = pq.read_table(tmp_path / "out" / "a.parquet").to_pandas()
    assert found[["symbol", "date"]].equals(
        found[["symbol", "date"]].sort_values(["symbol", "date"])
    )


def test_rows_out_of_order_that_do_not_fit_are_refused(label, folder, values, tmp_path):
    folder(panel(np.tile(values, (4, 1)), [2000]).sample(frac=1, random_state=0))
    with pytest.raises(DataError, match=r"not in the order of time.*Sort the files"):
        label(memory=2e-4)
    assert not list((tmp_path / "out").rglob("*.parquet"))


@pytest.mark.parametrize("order", ["together", "apart"])
def test_two_rows_of_one_time_are_named(label, folder, frame, tmp_path, order):
    rows = pd.concat([frame, frame[frame["symbol"] == "I4"].iloc[[7]]])
    folder(rows.sort_values("date", kind="stable") if order == "together" else rows)
    with pytest.raises(DataError, match=r"Instrument 'I4' has two rows with 'date' 2020-01-08"):
        label()
    assert not list((tmp_path / "out").rglob("*.parquet"))


def _spoil(path, kind):
    content = bytearray(path.read_bytes())
    if kind == "footer":
        del content[len(content) // 2 :]
    elif kind == "empty":
        content.clear()
    else:  # the pages of the model's columns; names and times stay
        column = pq.read_metadata(path).row_group(0).column(3)
        assert column.path_in_schema == "x1"
        first = column.dictionary_page_offset or column.data_page_offset
        content[first : first + column.total_compressed_size] = b"\xff" * (
            column.total_compressed_size
        )
    path.write_bytes(content)


@pytest.mark.parametrize("layout", ["halves", "days"])
@pytest.mark.parametrize("kind", ["footer", "empty", "pages"])
def test_a_damaged_file_is_named_and_the_rest_goes_on_if_asked(
    label, folder, frame, tmp_path, layout, kind
):
    folder(frame, layout)
    bad = sorted((tmp_path / "in").rglob("*.parquet"))[-1]
    good = tmp_path / "good"
    LAYOUTS[layout](frame, good)
    (good / bad.relative_to(tmp_path / "in")).unlink()
    _spoil(bad, kind)
    relative = bad.relative_to(tmp_path / "in").as_posix()
    with pytest.raises(DataError, match=rf"{relative} cannot be read as Parquet"):
        label(output=tmp_path / "refused")
    report = label(keep_going=True)
    assert list(report["skipped"]) == [relative]
    label(source=good, output=tmp_path / "expected")
    pd.testing.assert_frame_equal(
        read_labels(tmp_path / "out"), read_labels(tmp_path / "expected"), check_exact=True
    )


def test_nothing_but_damaged_files_is_an_error(label, folder, frame):
    (folder(frame) / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(DataError, match=r"No file of .* can be used"):
        label(keep_going=True)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.drop(columns="x2"), "b.parquet has no column 'x2'"),
        (
            lambda f: f.assign(x2="text"),
            "Column 'x2' of b.parquet holds 'text'; the model reads numbers",
        ),
        (lambda f: f.assign(date=f["date"].astype(str)), "Column 'date' is .* in b.parquet and"),
        (lambda f: f.assign(symbol=1), "Column 'symbol' is int64 in b.parquet and string in a.p"),
        (lambda f: f.drop(columns="symbol"), "b.parquet has no column 'symbol'"),
    ],
)
def test_a_schema_that_changes_is_named(label, folder, frame, change, message):
    path = folder(frame, "halves") / "b.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)
    with pytest.raises(DataError, match=message):
        label()
    report = label(keep_going=True)
    assert list(report["skipped"]) == ["b.parquet"]
    assert report["instruments"] == 3


def test_numbers_may_change_kind_and_columns_place(label, folder, single, frame, tmp_path):
    path = folder(frame, "halves") / "b.parquet"
    changed = pd.read_parquet(path).astype({"x1": "float32"}).assign(note="more")
    changed[changed.columns[::-1]].to_parquet(path, index=False)
    label()
    theirs = ~frame["symbol"].isin(["I0", "I3", "I5"])
    frame = frame.assign(x1=frame["x1"].where(~theirs, frame["x1"].astype("float32")))
    assert_labels(tmp_path / "out", single, frame)


def test_a_bad_value_stops_or_leaves_its_unit_out(label, folder, single, frame, tmp_path):
    folder(frame.assign(x1=frame["x1"].where(frame.index != 130)), "halves")
    with pytest.raises(DataError, match="Row 10 of instrument 'I1', column 'x1' holds nan"):
        label()
    report = label(keep_going=True)
    assert list(report["skipped"]) == ["b.parquet"]
    assert_labels(tmp_path / "out", single, frame[frame["symbol"].isin(["I0", "I3", "I5"])])


class _StopError(Exception):
    pass


def _stop_after(count):
    left = [count]

    def advance(more):
        left[0] -= 1
        if not left[0]:
            raise _StopError

    return lambda rows, before: nullcontext(advance)


def test_a_run_that_was_stopped_goes_on(label, single, frame, tmp_path):
    with pytest.raises(_StopError):
        label(frame, "hive", progress=_stop_after(4))
    there = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("*.parquet")}
    assert len(there) == 3
    assert not list((tmp_path / "out").rglob(".writing-*"))
    (tmp_path / "out" / ".writing-0.parquet").write_bytes(b"left by a killed process")
    report = label()
    assert report["done_before"] == 3
    assert all(path.stat().st_mtime_ns == before for path, before in there.items())
    assert not list((tmp_path / "out").rglob(".writing-*"))
    assert_labels(tmp_path / "out", single, frame)
    assert {**report, "done_before": 0} == label(output=tmp_path / "straight")


def test_another_run_into_the_same_folder_is_refused(label, bar_detector, frame, tmp_path):
    label(frame, "halves")
    bar_detector.save(tmp_path / "other.onnx")
    with pytest.raises(DataError, match="holds results of another model"):
        label(model=tmp_path / "other.onnx")
    with pytest.raises(DataError, match="other columns, parts or files"):
        label(time_column="x0")
    frame.to_parquet(tmp_path / "in" / "b.parquet", index=False)
    with pytest.raises(DataError, match="holds results of other files, or of files that have ch"):
        label()


def test_a_second_run_says_that_the_folder_is_busy(label, single, frame, tmp_path):
    label(frame, "halves")
    with alone(tmp_path / "out"), pytest.raises(DataError, match="is busy: another run writes"):
        label()
    assert label()["done_before"] == 2


def test_a_done_file_is_known_by_its_sum_and_its_rows(label, single, frame, tmp_path):
    label(frame, "halves")
    path = tmp_path / "out" / "a.parquet"
    content = path.read_bytes()
    changed = bytearray(content)
    changed[200] ^= 1  # its footer is whole
    path.write_bytes(changed)
    with pytest.raises(DataError, match="is not as it was written"):
        label()
    path.write_bytes(content)
    assert label()["done_before"] == 2
    with (tmp_path / "out" / JOURNAL).open("a") as journal:
        journal.write('{"output": "a.par')  # as a killed run may leave it
    assert label()["done_before"] == 2
    (tmp_path / "out" / JOURNAL).unlink()  # killed before it noted the file
    assert label()["done_before"] == 0
    assert_labels(tmp_path / "out", single, frame)


def test_damaged_pandas_metadata_are_named_and_skipped(label, folder, frame, tmp_path):
    folder(frame, "hive")
    first = sorted((tmp_path / "in").rglob("*.parquet"))[0]
    table = pq.ParquetFile(first).read()
    pq.write_table(table.replace_schema_metadata({b"pandas": b"{no json"}), first)
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        label()
    assert len(label(keep_going=True)["skipped"]) == 1


def test_folders_of_others_are_left_alone(label, folder, frame, tmp_path):
    folder(frame, "halves")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("")
    with pytest.raises(DataError, match="is not empty and holds no results"):
        label()
    for output in ("in", "in/labels", "."):
        with pytest.raises(DataError, match="contains the other"):
            label(output=tmp_path / output)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_full_disk_is_one_sentence(label, folder, single, frame, tmp_path, monkeypatch):
    folder(frame, "halves")
    write, calls = pq.ParquetWriter.write_table, []

    def full(self, table, *rest):
        calls.append(table)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return write(self, table, *rest)

    with monkeypatch.context() as patched:
        patched.setattr(pq.ParquetWriter, "write_table", full)
        with pytest.raises(RegimetryError, match=r"The disk that holds .*out is full"):
            label()
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(
        [RECORD, JOURNAL, "a.parquet"]
    )
    assert label()["done_before"] == 1
    assert_labels(tmp_path / "out", single, frame)


def test_options_that_cannot_be(label, folder, frame, tmp_path):
    folder(frame, "halves")
    for options, message in (
        ({"memory": 0}, "must be above 0"),
        ({"memory": 1e-6}, "which holds .* rows; a batch has 64"),
        ({"parts": 0}, "parts is 0"),
        ({"actors": 0}, "actors is 0"),
        ({"output": None}, "output is None"),
    ):
        with pytest.raises(ConfigError, match=message):
            label(**options)
    for options, message in (
        ({"by": "ticker"}, "has no column 'ticker'"),
        ({"by": "x0"}, "text or whole numbers can name instruments"),
        ({"time_column": "day"}, "has no column 'day'"),
    ):
        with pytest.raises(DataError, match=message):
            label(**options)
    with pytest.raises(DataError, match="There is no file or folder"):
        label(source=tmp_path / "none")
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match=r"holds no \.parquet file"):
        label(source=tmp_path / "none")


def test_rows_without_instrument_or_time_are_refused(label, folder, frame, tmp_path):
    for column, message in (("symbol", "has no 'symbol'"), ("date", "lacks a time in 1 rows")):
        folder(frame.assign(**{column: frame[column].where(frame.index != 5)}))
        with pytest.raises(DataError, match=message):
            label()
        (tmp_path / "out" / RECORD).unlink(missing_ok=True)


def test_the_shipped_model_reads_files_by_its_path(tmp_path):
    generator = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(0.01 * generator.standard_normal(50)))
    bars = pd.DataFrame({"close": close, "range": generator.standard_normal(50)})
    bars.to_parquet(tmp_path / "bars.parquet")
    report = predict(tmp_path / "bars.parquet", MODEL, output=tmp_path / "out")
    assert report["rows"] == 50
    found = pd.read_parquet(tmp_path / "out" / "bars.parquet")
    assert found["regime"].isna().sum() == rg.load(MODEL).contract.window_rows - 1
