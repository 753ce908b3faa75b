"""`regimetry stream`, in processes of its own where pipes and signals matter."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from places import MODEL

from regimetry.cli import bar_lines as reading
from regimetry.cli.stopping import Stop, _Stopped, until_stopped
from regimetry.cli.stream import MESSAGE_LENGTH, _tick_fields
from regimetry.errors import DataError
from regimetry.runtime.stream import Tick
from regimetry.series.schema import Column, Schema

COMMAND = [sys.executable, "-I", "-m", "regimetry", "stream", str(MODEL)]
SCHEMA = Schema.numeric(("close", "range"))
WARM_UP = 36  # 20 bars, 16 before them for the convolutions, 1 for the difference, less 1


def csv_of(bars):
    """Columns shuffled, one that the model does not read, and a time."""
    rows = [
        f"2024-01-01T{i // 60:02}:{i % 60:02},{r!r},text,{c!r}"
        for i, (c, r) in enumerate(bars.tolist())
    ]
    return "\n".join(["Time,range,note,close", *rows])


def json_of(bars):
    return "\n".join(
        json.dumps({"note": [i], "time": i, "range": r, "close": c})
        for i, (c, r) in enumerate(bars.tolist())
    )


@contextmanager
def live():
    """A process whose input stays open."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen(COMMAND, bufsize=0, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def ask(process, line):
    process.stdin.write(line.encode() + b"\n")
    return json.loads(process.stdout.readline())


@pytest.mark.parametrize("form", [csv_of, json_of])
def test_every_bar_gets_the_label_that_predict_gives(shipped, bars, form, stream):
    answers = stream(form(bars))
    assert stream(form(bars), "--format", {csv_of: "csv", json_of: "json"}[form]) == answers
    expected = shipped.label(bars)
    first = 2 if form is csv_of else 1
    assert [answer["line"] for answer in answers] == list(range(first, first + len(bars)))
    times = [line.partition(",")[0] for line in csv_of(bars).splitlines()[1:]]
    assert [a["time"] for a in answers] == (times if form is csv_of else list(range(len(bars))))
    keys = ("regime", "name", "probability", "novelty")
    assert all(answer[key] is None for answer in answers[:WARM_UP] for key in keys)
    warm = answers[WARM_UP:]
    assert [answer["regime"] for answer in warm] == expected.regime[WARM_UP:].tolist()
    assert {a["name"] for a in warm} == {f"regime_{a['regime']}" for a in warm}
    for key in ("probability", "novelty"):
        wanted = getattr(expected, key)[WARM_UP:]
        np.testing.assert_allclose([answer[key] for answer in warm], wanted, atol=1e-4)
    assert len({answer["regime"] for answer in warm}) > 1


def test_a_line_in_is_a_line_out(bars):
    with live() as process:
        header, *lines = csv_of(bars[: WARM_UP + 2]).splitlines()
        process.stdin.write(header.encode() + b"\n")
        answers = [ask(process, line) for line in lines]  # would wait for ever on a buffer
        assert [answer["regime"] is None for answer in answers] == [True] * WARM_UP + [False] * 2
        process.stdin.close()
        assert process.wait(timeout=60) == 0


MALFORMED = {
    "csv": {
        "2025-01-01,1,x": "The line has 3 fields; the header has 4.",
        "2025-01-01,,x,2": "'range' of the row holds nan; missing='trim' leaves out the first rows",
        "2025-01-01,1_0,x,2": "Column 'range' holds '1_0', which is not a number.",
        "2025-01-01,1,x,nan": "'close' of the row holds nan",
        "2025-01-01,1,x,1e999": "'close' of the row holds inf",
        "2025-01-01,1,x,-1": "'close' is not positive",
        "31.13.2025,1,x,2": "The timestamp '31.13.2025' is neither a date",
        "nan,1,x,2": "The timestamp 'nan' is neither",
        "1e999,1,x,2": "The timestamp '1e999' is neither",
        "03.04.2025,1,x,2": "could be of two days",
        '2025-01-01,"1,x,2': "The line is not CSV",
        "2025-01-01," + "z" * 9999 + ",x,2": "Column 'range' holds 'zzz",
        "\xef\xbb\xbf": "The line has 0 fields",
        "\xff": "not UTF-8 text (byte 0)",
        "2025-01-01," + "1" * reading.LINE_BYTES: "longer than 1048576 bytes",
    },
    "json": {
        '{"time": 99, "range": 1': "The line is not JSON",
        "[1, 2]": "not an object",
        "[" * 100_000: "The line is not JSON",
        '{"time": 99, "range": 1}': "The row lacks 'close'",
        '{"range": 1, "close": 1}': "The line lacks the time 'time'",
        '{"time": 99, "range": 1, "close": null}': "'close' of the row holds nan; missing='trim'",
        '{"time": 99, "range": 1, "close": "2"}': "'close' holds \"2\", which is not a number",
        '{"time": 99, "range": 1, "close": true}': "'close' holds true, which is not a number",
        '{"time": 99, "range": 1, "close": NaN}': "'close' of the row holds nan",
        '{"time": 99, "range": 1, "close": 1%s}' % ("0" * 400): "which is not a number",
        '{"time": {}, "range": 1, "close": 1}': "The timestamp {} is neither",
        '{"time": true, "range": 1, "close": 1}': "The timestamp True is neither",
        '{"time": Infinity, "range": 1, "close": 1}': "The timestamp inf is neither",
        '{"time": 1%s, "range": 1}' % ("0" * 400): "The timestamp 1000",
        '{"time": "2025-01-01", "range": 1, "close": 1}': "keep to numbers or times",
    },
}  # fmt: skip


@pytest.mark.parametrize("form", [csv_of, json_of])
def test_a_malformed_line_is_an_error_line_and_no_bar(bars, form, stream):
    cases = MALFORMED[{csv_of: "csv", json_of: "json"}[form]]
    good = form(bars[: WARM_UP + 5]).encode().splitlines()
    half = WARM_UP // 2
    bad = [line.encode("latin-1") for line in cases]
    answers = stream(b"\n".join([*good[:half], *bad, *good[half:]]))
    errors = [answer for answer in answers if "error" in answer]
    assert [error["line"] for error in errors] == list(range(half + 1, half + 1 + len(bad)))
    for error, message in zip(errors, cases.values(), strict=True):
        assert list(error) == ["line", "error"]
        assert message in error["error"]
        assert len(error["error"]) <= MESSAGE_LENGTH
    untouched = stream(form(bars[: WARM_UP + 5]))
    kept = [answer for answer in answers if "error" not in answer]
    assert [a | {"line": 0} for a in kept] == [a | {"line": 0} for a in untouched]


def test_blank_lines_and_line_ends_are_nothing(bars, stream):
    plain = stream(csv_of(bars[:3]))
    windows = "\ufeff" + csv_of(bars[:3]).replace("\n", "\r\n") + "\r\n"
    assert stream(windows) == plain
    spaced = stream(csv_of(bars[:3]).replace("\n", "\n\n") + "\n \n")
    assert [a["line"] for a in spaced] == [3, 5, 7]
    assert stream("") == stream("\n\n") == stream("close,range\n") == []


def test_late_bars_are_refused_or_skipped(bars, stream):
    lines = json_of(bars[:25]).splitlines()
    late = [*lines[:23], lines[22], lines[5], *lines[23:]]
    answers = stream("\n".join(late))
    assert ["error" in answer for answer in answers] == [i in (23, 24) for i in range(27)]
    skipped = stream("\n".join(late), "--late", "skip")
    assert skipped[23:25] == [
        {"line": 24, "time": 22, "skipped": "late"},
        {"line": 25, "time": 5, "skipped": "late"},
    ]
    straight = stream("\n".join(lines))
    assert [a["regime"] for a in skipped[25:]] == [a["regime"] for a in straight[23:]]
    assert skipped[25]["novelty"] == straight[23]["novelty"]


def test_the_time_column_can_be_named_or_absent(bars, stream):
    text = csv_of(bars[:2])
    without = text.replace("2024-01-01T", "no ")
    assert [answer["time"] for answer in stream(without.replace("Time", "when"))] == [None, None]
    text = text.replace("Time", "when")
    for named in (stream(text), stream(text, "--time-column", "when")):
        assert [answer["time"] for answer in named] == ["2024-01-01T00:00", "2024-01-01T00:01"]
    lines = stream('{"close": 1, "range": 2, "x": 7}', "--time-column", "x")
    assert lines[0]["time"] == 7


def test_the_first_day_above_12_settles_the_order_of_day_and_month(bars, stream):
    rows = [
        f"{day}/02/2024,{r!r},{c!r}"
        for day, (c, r) in zip((3, 28, 4, 29), bars[:4].tolist(), strict=True)
    ]
    text = "\n".join(["Datum,range,close", *rows])
    answers = stream(text)
    assert "could be of two days" in answers[0]["error"]
    assert "time" in answers[1]
    assert "timestamps must rise" in answers[2]["error"]  # the fourth of February, after the 28th
    assert [a["time"] for a in (answers[1], answers[3])] == ["28/02/2024", "29/02/2024"]
    assert "error" not in stream(text, "--day-first", "true")[0]
    assert "error" not in stream(text, "--time-format", "%d/%m/%Y")[0]


def test_bad_headers_and_models_are_refused_in_one_sentence(bars, tmp_path, feed, refuses):
    for message, text, *arguments in (
        ("The header lacks 'close', 'range'", "date,x\n1,2\n"),
        ("The header lacks 'range'", "date,close\n1,2\n"),
        ("The header lacks 'when'", csv_of(bars), "--time-column", "when"),
        ("names 'close' more than once", "close,range,close\n1,2,3\n"),
        ("The line is not CSV", json_of(bars), "--format", "csv"),
    ):
        shown = feed(text, "stream", MODEL, *arguments, code=2)
        assert (shown.out, shown.err.count("\n"), message in shown.err) == ("", 1, True)
    refuses("no model file", "stream", tmp_path / "none.onnx")


def test_input_that_cannot_be_read_is_refused():
    closed = ["bash", "-c", 'exec "$@" <&-', "bash", *COMMAND]
    result = subprocess.run(closed, capture_output=True, check=False)
    assert result.returncode == 2
    assert result.stderr == b"regimetry: Standard input is closed; give it the rows.\n"

    class Broken(BytesIO):
        def readline(self, size=-1):
            raise OSError(5, "Input/output error")

    with pytest.raises(DataError, match="cannot be read \\(Input/output error\\)"):
        list(reading.lines(Broken()))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_wait(bars, number):
    with live() as process:
        lines = json_of(bars[:3]).splitlines()
        for line in lines:
            ask(process, line)
        process.send_signal(number)
        assert process.wait(timeout=60) == 0
        assert process.stdout.read() == b""
        assert process.stderr.read() == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_amid_work_leaves_whole_lines(bars, tmp_path, number):
    """The input is full throughout, so that the signal finds the process at work."""
    rows = [{"close": c, "range": r} for c, r in bars.tolist()] * 5000
    source = tmp_path / "long.jsonl"
    source.write_text("\n".join(map(json.dumps, rows)))
    with (
        source.open("rb") as data,
        subprocess.Popen(
            COMMAND, stdin=data, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
        ) as process,
    ):
        head = [process.stdout.readline() for _ in range(200)]
        process.send_signal(number)
        out, error = process.communicate(timeout=60)
    assert (process.returncode, error) == (0, b"")
    lines = [*head, *out.splitlines(keepends=True)]
    assert lines[-1].endswith(b"\n")
    assert [json.loads(line)["line"] for line in lines] == list(range(1, len(lines) + 1))
    assert len(lines) < len(rows)


def test_a_closed_pipe_is_a_normal_end(bars):
    with live() as process:
        lines = json_of(bars).splitlines()
        ask(process, lines[0])
        process.stdout.close()
        process.stdin.write("\n".join(lines[1:]).encode() + b"\n")
        assert process.wait(timeout=60) == 0  # while its input is still open
        assert process.stderr.read() == b""


def test_what_is_not_finite_becomes_null():
    probability, embedding = np.array([np.nan, 0.5, np.inf]), np.zeros(2, np.float32)
    found = _tick_fields(Tick(1, probability, float("inf"), embedding, False, None, "regime_1"))
    assert found == {"regime": 1, "name": "regime_1", "probability": [None, 0.5, None],
                     "novelty": None, "novel": False}  # fmt: skip


FINITE = st.floats(allow_nan=False, allow_infinity=False)


@given(FINITE, FINITE, st.booleans())
def test_numbers_come_through_both_forms_unchanged(close, range_, swap):
    row = {"close": close, "range": range_}
    names = list(row)[:: -1 if swap else 1]
    text = ",".join(repr(row[name]) for name in names)
    assert reading.CsvReader(",".join(names), SCHEMA).bar(text).row == row
    assert reading.JsonReader(SCHEMA).bar(json.dumps(row)).row == row


@given(st.lists(st.datetimes(timezones=st.timezones()), min_size=2, max_size=2))
def test_times_are_ordered_as_instants(times):
    reader = reading.CsvReader("time,close,range", SCHEMA)
    try:
        instants = [time.timestamp() for time in times]
        found = [reader.bar(f"{time.isoformat()},1,2").timestamp for time in times]
    except (OverflowError, DataError):  # at either end of the calendar UTC has no such instant
        return
    if abs(instants[0] - instants[1]) > 1:
        assert (found[0] < found[1]) == (instants[0] < instants[1])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
json_bars = st.dictionaries(st.sampled_from(["time", "close", "range"]), json_values).map(
    json.dumps
)
csv_bars = st.lists(st.text(max_size=8) | st.just("1"), min_size=3, max_size=3).map(",".join)


@given(st.binary(max_size=40) | st.one_of(st.text(), json_bars, csv_bars).map(str.encode))
def test_any_line_is_a_bar_or_a_data_error(shipped, line):
    live = shipped.stream()
    for reader in (
        reading.CsvReader("time,close,range", SCHEMA),
        reading.JsonReader(SCHEMA),
    ):
        try:
            bar = reader.bar(reading.decode(line))
            live.push(bar.row, timestamp=bar.timestamp)
        except DataError:
            continue
        assert live.count > 0


def test_categories_stay_text():
    schema = Schema((Column("close"), Column("side", ("1", "2"))))
    assert reading.CsvReader("side,close", schema).bar("1,3").row == {"close": 3, "side": "1"}
    assert reading.JsonReader(schema).bar('{"side": 1, "close": 3}').row["side"] == 1


def test_a_long_line_is_not_kept():
    long = b"x" * (2 * reading.LINE_BYTES + 5) + b"\n"
    found = list(reading.lines(BytesIO(b"a\n" + long + b"b")))
    assert found == [(1, b"a\n"), (2, None), (3, b"b")]
    with pytest.raises(DataError, match="longer than"):
        reading.decode(None)


def test_a_signal_waits_for_work_and_a_second_one_does_not():
    done = []

    def work(stop):
        with stop.working():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("first")
        done.append("never")

    before = signal.getsignal(signal.SIGTERM)
    until_stopped(work)
    assert done == ["first"]
    assert signal.getsignal(signal.SIGTERM) is before

    again = Stop()

    def insist():
        with again.working():
            for _ in range(2):
                again.handle(signal.SIGTERM, None)
                done.append("once")

    with pytest.raises(_Stopped):
        insist()
    assert done == ["first", "once"]


def test_a_line_says_what_the_density_says(detector, values, feed, tmp_path):
    detector.save(tmp_path / "m.onnx")
    text = "x0,x1,x2,x3\n" + "\n".join(",".join(map(str, row)) for row in values[:60])
    lines = feed(text, "stream", tmp_path / "m.onnx", "--density").out.splitlines()
    answers = [json.loads(line) for line in lines]
    scores = detector.log_score(values[:60])
    assert answers[0]["regime"] is None
    assert "log_score" not in answers[0]
    assert answers[-1]["log_score"] == pytest.approx(scores[-1])
    assert answers[-1]["surprising"] in {True, False}
    ahead = detector.forecast(values[:60])
    columns = dict(zip(ahead.columns, ahead.mean[0], strict=True))
    assert {name: one["mean"] for name, one in answers[-1]["next"].items()} == pytest.approx(
        columns
    )


def test_changes_alone_are_written_once_each(feed):
    random = np.random.default_rng(1)
    scale = np.repeat([0.005, 0.03, 0.005, 0.03], 150)
    close = 100 * np.exp(np.cumsum(random.normal(size=600) * scale))
    rows = np.column_stack([close, np.abs(random.normal(size=600)) * scale * 2 + 0.001])
    text = csv_of(rows).splitlines()
    text.insert(300, "no bar")

    def told(*flags):
        lines = feed("\n".join(text), "stream", MODEL, "--events", *flags).out.splitlines()
        return [json.loads(line) for line in lines]

    changes = told()
    errors = [one for one in changes if "error" in one]
    assert [one["line"] for one in errors] == [301]
    changes = [one for one in changes if one not in errors]
    assert [(one["from"], one["to"]) for one in changes] == [
        (None, "regime_1"),
        ("regime_1", "regime_2"),
        ("regime_2", "regime_1"),
        ("regime_1", "regime_2"),
    ]
    assert all(one["bars"] >= 3 and one["probability"] >= 0.8 for one in changes)
    assert all(one["time"].startswith("2024-01-01T") for one in changes)
    flicker = told("--change-bars", "1", "--change-probability", "0")
    assert len(flicker) > len(changes) + 1
    assert feed("x", "stream", MODEL, "--change-bars", "0", code=2).err.count("\n") == 1
