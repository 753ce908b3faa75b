import io
import threading
from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from changed import resigned

from regimetry.contract import OUTPUT_NAMES
from regimetry.errors import ConfigError, DataError, DataWarning, RegimetryError

WARM_UP = 10  # window 10, and one row for the difference


@pytest.mark.parametrize("told_by", ["detector", "bar_detector"])
def test_streaming_equals_batch_at_every_prefix(request, values, told_by):
    model = request.getfixturevalue(told_by).model_
    stream, labels = model.stream(outputs=OUTPUT_NAMES), model.label(values)
    embeddings = model.embed(values)
    for t, row in enumerate(values):
        tick = stream.push(row)
        if t < WARM_UP:
            assert tick is None
            continue
        assert tick.regime == labels.regime[t]
        np.testing.assert_allclose(tick.probability, labels.probability[t], atol=1e-5)
        np.testing.assert_allclose(tick.novelty, labels.novelty[t], atol=1e-4)
        assert tick.novel == labels.novel[t]
        np.testing.assert_allclose(tick.embedding, embeddings[t - WARM_UP], atol=1e-5)
    assert stream.count == len(values)


def test_a_reset_stream_is_a_new_one(model, values):
    stream = model.stream()
    first = [stream.push(row) for row in values[:40]]
    stream.reset()
    assert stream.count == 0
    again = [stream.push(row) for row in values[:40]]
    assert [t and t.regime for t in first] == [t and t.regime for t in again]


def test_rows_come_by_name_or_by_position(model, values):
    by_name, by_position = (model.stream(outputs=["embedding"]) for _ in range(2))
    for row in values[:15]:
        named = dict(zip(("x3", "x1", "x0", "x2"), row[[3, 1, 0, 2]], strict=True))
        a, b = by_name.push(named), by_position.push(row.tolist())
    np.testing.assert_array_equal(a.embedding, b.embedding)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([1.0, 2.0], r"shape \(2,\); the model reads 4"),
        ([1.0, np.nan, 1.0, 1.0], "'x1' of the row holds nan"),
        (["a", 1, 1, 1], "not a number"),
        ({"x0": 1.0}, "lacks 'x1', 'x2', 'x3'"),
        ([1.0, np.nan, 1.0, np.inf], "'x1' of the row holds nan"),
        ([1.0, 1.0, 1.0, -np.inf], "'x3' of the row holds -inf"),
        ([1.0, 1e39, 1.0, 1.0], r"'x1' of the row holds 1e\+39; .* finite in float32"),
        ([[1.0, 1.0, 1.0, 1.0]], r"shape \(1, 4\)"),
        ([None, 1.0, 1.0, 1.0], "'x0' of the row holds nan"),
        ([0.0, 0.0, 0.0, -1.0], "column 'x3' is not positive"),
    ],
)
def test_a_bad_row_is_refused_and_forgotten(model, values, row, message):
    stream, clean = (model.stream(outputs=["embedding"]) for _ in range(2))
    for good in values[:20]:
        stream.push(good)
        clean.push(good)
    with pytest.raises(DataError, match=message):
        stream.push(row)
    assert stream.count == 20
    np.testing.assert_array_equal(
        stream.push(values[20]).embedding, clean.push(values[20]).embedding
    )


def same(a, b):
    return a is b is None or all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


@pytest.mark.parametrize("cut", [0, 1, 10, 11, 12, 40])
@pytest.mark.parametrize("saved", [False, True])
def test_a_restored_stream_goes_on_bit_by_bit(model, values, cut, saved):
    whole, first = model.stream(), model.stream()
    for day, row in enumerate(values[:cut]):
        whole.push(row, day)
        first.push(row, day)
    snapshot = first.snapshot()
    if saved:
        file = io.BytesIO()
        np.savez(file, **snapshot)
        file.seek(0)
        snapshot = np.load(file, allow_pickle=False)
    first.push(values[300])  # the snapshot is a copy
    again = model.stream()
    again.push(values[0])
    again.restore(snapshot)
    assert again.count == whole.count == cut
    for day, row in enumerate(values[cut : cut + 30], start=cut):
        assert same(again.push(row, day), whole.push(row, day))


def test_a_snapshot_remembers_the_last_timestamp_and_what_was_skipped(model, values):
    stream = model.stream(late="skip")
    stream.push(values[0], datetime(2020, 1, 2))
    stream.push(values[1], datetime(2020, 1, 1))
    again = model.stream()
    again.restore(stream.snapshot())
    assert again.skipped == 1
    with pytest.raises(DataError, match="2020-01-02"):
        again.push(values[1], datetime(2020, 1, 2))
    again.restore(model.stream().snapshot())
    again.push(values[1], 5)
    assert (again.count, again.skipped) == (1, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "0" * 64}, "restore it with the model file"),
        ({"version": 3}, "version 3; 2 is needed"),
        ({"kind": "regimetry.bank"}, "restore it into the class"),
        ({"costs": np.zeros(2)}, r"costs are float64 of shape \(2,\)"),
        ({"costs": np.full(3, np.nan)}, "finite in float32"),
        ({"costs": np.full(3, 1e308)}, "finite in float32"),
        ({"novelty": np.array(1e308)}, "means of novelty are float64"),
        ({"last": np.zeros(2)}, "last timestamp is damaged"),
        ({"rows": np.full((11, 4), 1e308)}, "an array .11, 4. of float64"),
        ({"rows": np.full((11, 4), "a")}, "an array .11, 4. of <U1"),
        ({"count": "a"}, "'count' is array"),
        ({"skipped": 10**30}, "'skipped' is array"),
        ({"rows": np.zeros((3, 4), np.float32)}, "counts 20 rows and holds 3"),
        ({"count": -1}, "'count' is array"),
        ({"rows": None}, "no 'rows'"),
        ({"skipped": None}, "no 'skipped'"),
        ({"model": None}, "no 'model'"),
    ],
)
def test_a_changed_snapshot_is_refused_and_changes_nothing(model, values, change, message):
    stream, clean = model.stream(), model.stream()
    for row in values[:20]:
        stream.push(row)
        clean.push(row)
    with pytest.raises(DataError, match=message):
        stream.restore(resigned(stream.snapshot(), **change))
    assert same(stream.push(values[20]), clean.push(values[20]))


NOON = datetime(2020, 5, 1, 12)
LATER = [
    (1, 2),
    (1.5, 2),
    (np.int64(3), np.float32(4)),
    (NOON, NOON + timedelta(microseconds=1)),
    (np.datetime64("2020-05-01"), np.datetime64("2020-05-01T00:00:01")),
    (date(2020, 5, 1), date(2020, 5, 2)),
    ("2020-05-01", "2020-05-01T12:00:00"),
    ("2020-05-01T12:00:00Z", NOON + timedelta(seconds=1)),
    (NOON.replace(tzinfo=UTC), NOON.replace(tzinfo=timezone(-timedelta(hours=1)))),
    (pd.Timestamp(NOON), pd.Timestamp(NOON) + pd.Timedelta(1, "ns")),
]


@pytest.mark.parametrize(("before", "after"), LATER)
def test_timestamps_must_rise(model, values, before, after):
    stream = model.stream()
    stream.push(values[0], after)
    for late in (before, after):
        with pytest.raises(DataError, match="timestamps must rise"):
            stream.push(values[1], late)
    assert (stream.count, stream.skipped) == (1, 0)
    stream.reset()
    stream.push(values[0], before)
    stream.push(values[1], after)
    assert stream.count == 2


def test_late_rows_are_skipped_by_choice(model, values):
    stream, clean = model.stream(late="skip"), model.stream()
    for day, row in enumerate(values[:30]):
        expected = clean.push(row)
        found = stream.push(row, day)
        assert same(found, expected)
        assert stream.push(values[500], day) is None
        assert stream.push(values[501], day - 1) is None
    assert (stream.count, stream.skipped) == (30, 60)
    stream.reset()
    assert stream.skipped == 0


@pytest.mark.parametrize("bad", ["today", object(), float("nan"), pd.NaT, True, 2**80])
def test_what_is_no_timestamp_is_refused(model, values, bad):
    stream = model.stream()
    with pytest.raises(DataError, match="timestamp"):
        stream.push(values[0], bad)
    assert stream.count == 0


def test_numbers_and_times_do_not_mix(model, values):
    stream = model.stream(late="skip")
    stream.push(values[0], 7)
    with pytest.raises(DataError, match="keep to numbers or times"):
        stream.push(values[1], NOON)


def test_a_refused_row_leaves_the_timestamp(model, values):
    stream = model.stream()
    with pytest.raises(DataError):
        stream.push([1.0], 5)
    stream.push(values[0], 5)
    assert stream.count == 1


def test_an_unknown_choice_is_named(model):
    with pytest.raises(ConfigError, match="late is 'drop'; it must be one of 'refuse', 'skip'"):
        model.stream(late="drop")


def test_ticks_do_not_share_memory(live):
    model, rows = live[0], live[1][:40]
    stream, again = (model.stream(outputs=OUTPUT_NAMES) for _ in range(2))
    bank, other = (model.bank(1, outputs=OUTPUT_NAMES) for _ in range(2))
    ticks = [(stream.push(row), bank.push([0], row[None])) for row in rows]
    for (tick, banked), row in zip(ticks, rows, strict=True):
        assert same(tick, again.push(row))
        assert same(banked, other.push([0], row[None]))


@pytest.mark.parametrize(
    "row",
    [
        [NOON, NOON],
        np.array(["2020", "2021"], "M8[D]"),
        np.array([1, 2], "m8[s]"),
        [1 + 2j, 1],
        np.zeros(2, [("a", "f8")]),
        ["100", "2"],
        np.array([b"100", b"2"]),
        [[1, 2], 3],
        [10**400, 1],
        {f"x{i}": 10**400 for i in range(4)},
    ],
    ids=repr,
)
def test_what_is_no_row_of_numbers_is_one_data_error(model, row):
    stream, bank = model.stream(), model.bank(1)
    with pytest.raises(DataError, match="not a number that float64 holds"):
        stream.push(row)
    with pytest.raises(DataError):
        bank.push([0], [row])
    assert stream.count == bank.counts([0])[0] == 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (np.datetime64("9999", "Y"), np.datetime64("2020-01-01", "ns")),
        (np.datetime64("1970-01-01T00:00:02", "as"), np.datetime64("1970-01-01T00:00:01", "s")),
        (np.datetime64("2020-01", "M"), np.datetime64("2019-12-31T23", "h")),
        (2**60 + 1, float(2**60)),
        (np.uint64(7), -1),
    ],
)
def test_times_of_different_units_compare_rightly(model, values, first, second):
    stream = model.stream(late="skip")
    stream.push(values[0], first)
    stream.push(values[1], second)
    assert (stream.count, stream.skipped) == (1, 1)
    stream.reset()
    stream.push(values[0], second)
    stream.push(values[1], first)
    assert stream.count == 2


def test_an_unsigned_time_does_not_wrap(model, values):
    with pytest.raises(DataError, match="cannot be read"):
        model.stream().push(values[0], np.uint64(2**63 + 5))


@pytest.mark.parametrize("span", [timedelta(days=4), np.timedelta64(4, "D"), 4 * 86400])
def test_a_bar_dated_far_ahead_does_not_silence_the_stream(model, values, span):
    stream = model.stream(late="skip", max_jump=span)
    for day in (1, 2, 3):
        stream.push(values[day], datetime(2020, 1, day))
    with pytest.warns(DataWarning, match="further than max_jump"):
        stream.push(values[4], datetime(9999, 1, 1))
    stream.push(values[4], datetime(2020, 1, 4))
    assert (stream.count, stream.skipped) == (4, 1)
    with pytest.warns(DataWarning):  # time really moves on: one row is lost
        stream.push(values[5], datetime(2020, 3, 1))
    stream.push(values[6], datetime(2020, 3, 2))
    assert (stream.count, stream.skipped) == (5, 2)
    strict = model.stream(max_jump=span)
    strict.push(values[0], datetime(2020, 1, 1))
    with pytest.raises(DataError, match="further than max_jump"):
        strict.push(values[1], datetime(9999, 1, 1))
    strict.push(values[1], datetime(2020, 1, 2))
    with pytest.raises(ConfigError, match="max_jump is -1"):
        model.stream(max_jump=-1)


def test_a_restored_stream_knows_of_a_jump(model, values):
    stream, again = (model.stream(late="skip", max_jump=3600.0) for _ in range(2))
    for second in range(5):
        stream.push(values[second], datetime(2020, 1, 1, 0, 0, second))
    with pytest.warns(DataWarning, match="further than max_jump"):
        stream.push(values[5], datetime(2020, 1, 2))
    again.restore(stream.snapshot())
    for one in (stream, again):
        one.push(values[6], datetime(2020, 1, 2, 0, 0, 1))
        assert (one.count, one.skipped) == (6, 1)


def test_a_push_from_within_a_push_is_told_so_and_neither_is_lost(model, values):
    stream, clean, seen = model.stream(), model.stream(), []

    class Row:
        def __init__(self, values):
            self.values = values

        def __array__(self, dtype=None, copy=None):
            with pytest.raises(RegimetryError, match="from within another") as caught:
                stream.push(self.values)
            seen.append(caught)
            return np.asarray(self.values, dtype)

    for row in values[:30]:
        assert same(stream.push(Row(row)), clean.push(row))
    assert len(seen) == 30


def test_threads_that_push_one_stream_queue_up(model, values):
    stream = model.stream()
    stream.push(values[0])

    def work():
        for row in values[:200]:
            stream.push(row)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stream.count == 601


def test_a_snapshot_that_was_changed_by_one_bit_is_refused(model, values, tmp_path):
    stream = model.stream()
    for row in values[:20]:
        stream.push(row)
    np.savez(tmp_path / "s.npz", **stream.snapshot())
    model.stream().restore(np.load(tmp_path / "s.npz"))
    found = {**stream.snapshot()}
    found["rows"] = found["rows"].copy()
    found["rows"].view(np.uint8).flat[5] ^= 1
    with pytest.raises(DataError, match="was changed or damaged"):
        stream.restore(found)


def test_a_snapshot_of_the_first_version_is_read(model, values):
    stream = model.stream()
    for row in values[:20]:
        stream.push(row)
    found = {key: value for key, value in stream.snapshot().items() if key != "sha256"}
    with pytest.raises(DataError, match="no 'sha256'"):
        model.stream().restore(found)
    model.stream().restore({**found, "version": 1})
