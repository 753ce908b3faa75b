import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from changed import resigned
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from regimetry.contract import OUTPUT_NAMES
from regimetry.errors import DataError


def series_of(values, count):
    """Different series, one for each id."""
    return np.stack([np.roll(values, 37 * i, axis=0) for i in range(count)])


def assert_like(ticks, number, tick, atol=1e-5):
    """The bank's row is the tick of that series alone; batches round differently."""
    assert ticks.regime[number] == tick.regime
    np.testing.assert_allclose(ticks.probability[number], tick.probability, atol=atol)
    np.testing.assert_allclose(ticks.novelty[number], tick.novelty, atol=10 * atol)
    assert ticks.novel[number] == tick.novel
    np.testing.assert_allclose(ticks.embedding[number], tick.embedding, atol=atol)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(pushes=st.lists(st.lists(st.integers(0, 3), max_size=40), min_size=1, max_size=8))
def test_a_bank_is_as_many_streams(live, pushes):
    model, data = live[0], series_of(live[1], 4)
    bank = model.bank(4, outputs=OUTPUT_NAMES)
    streams = [model.stream(outputs=OUTPUT_NAMES) for _ in range(4)]
    position = [0] * 4
    for ids in pushes:
        rows, expected = [], []
        for i in ids:
            rows.append(data[i, position[i]])
            position[i] += 1
            tick = streams[i].push(rows[-1])
            if tick is not None:
                expected.append((i, tick))
        again = model.bank(4, outputs=OUTPUT_NAMES)
        again.restore(bank.snapshot())
        arguments = np.array(ids, dtype=np.int64), np.reshape(rows, (-1, data.shape[2]))
        ticks = bank.push(*arguments)
        assert ticks.ids.tolist() == [i for i, _ in expected]
        assert ticks.probability.shape == (len(expected), model.contract.n_regimes)
        for found, twin in zip(again.push(*arguments), ticks, strict=True):
            np.testing.assert_array_equal(found, twin)
        for number, (_, tick) in enumerate(expected):
            assert_like(ticks, number, tick)
    assert bank.counts(range(4)).tolist() == position


def test_more_series_than_a_batch(model, values):
    bank, stream = model.bank(150, outputs=OUTPUT_NAMES), model.stream(outputs=OUTPUT_NAMES)
    for row in values[:15]:
        ticks = bank.push(np.arange(150), np.tile(row, (150, 1)))
        tick = stream.push(row)
    for number in (0, 63, 64, 127, 128, 149):
        assert_like(ticks, number, tick)


def push_all(bank, data, times):
    return [bank.push(np.arange(len(data)), data[:, t]) for t in times][-1]


def test_series_come_and_go(model, values):
    data = series_of(values, 3)
    bank = model.bank(2, outputs=OUTPUT_NAMES, capacity=3)
    push_all(bank, data[:2], range(20))
    assert bank.add().tolist() == [2]
    assert (bank.n_streams, bank.capacity) == (3, 3)
    bank.drop([0])
    with pytest.raises(DataError):
        bank.push([0], data[0, :1])
    assert bank.add(1).tolist() == [0]  # the id is new, and so is its state
    fresh = model.stream(outputs=OUTPUT_NAMES)
    for t in range(30):
        ticks, tick = bank.push([0], data[0, t : t + 1]), fresh.push(data[0, t])
    assert_like(ticks, 0, tick)
    bank.reset([0])
    assert bank.counts([0, 1]).tolist() == [0, 20]
    fresh.reset()
    for t in range(30, 60):
        ticks, tick = bank.push([0], data[0, t : t + 1]), fresh.push(data[0, t])
    assert_like(ticks, 0, tick)
    bank.reset()
    assert bank.counts([0, 1, 2]).tolist() == [0, 0, 0]


@pytest.mark.parametrize("saved", [False, True])
def test_a_restored_bank_goes_on_bit_by_bit(model, values, saved):
    data = series_of(values, 4)
    bank = model.bank(3, capacity=4)
    push_all(bank, data[:3], range(25))
    bank.drop([1])
    bank.add()
    snapshot = bank.snapshot()
    if saved:
        file = io.BytesIO()
        np.savez(file, **snapshot)
        file.seek(0)
        snapshot = np.load(file, allow_pickle=False)
    again = model.bank(4)
    again.restore(snapshot)
    for t in range(25, 40):
        a, b = push_all(bank, data[:3], [t]), push_all(again, data[:3], [t])
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)
    assert again.n_streams == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": "x"}, "restore it with the model file"),
        ({"kind": "regimetry.stream"}, "restore it into the class"),
        ({"costs": np.zeros((1, 3))}, "costs are"),
        ({"ids": np.array([0, 9])}, "9"),
        ({"ids": np.array([0.5, 1])}, "whole numbers"),
        ({"rows": None}, "no 'rows'"),
    ],
)
def test_a_changed_snapshot_is_refused(model, values, change, message):
    data = series_of(values, 2)
    bank, clean = model.bank(2), model.bank(2)
    push_all(bank, data, range(15))
    push_all(clean, data, range(15))
    with pytest.raises(DataError, match=message):
        bank.restore(resigned(bank.snapshot(), **change))
    a, b = push_all(bank, data, [15]), push_all(clean, data, [15])
    np.testing.assert_array_equal(a.probability, b.probability)


@pytest.mark.parametrize(
    ("ids", "rows", "message"),
    [
        ([0, 7], np.ones((2, 4)), "7"),
        ([0], np.ones((2, 4)), "1"),
        ([0.5], np.ones((1, 4)), "whole numbers"),
        ([[0]], np.ones((1, 4)), "flat list"),
        ([0], np.ones((1, 3)), "3 columns; the model reads 4"),
        ([0, 1], [[1, 1, 1, 1], [1, 1, np.nan, 1]], "Row 1, column 'x2' holds nan"),
        ([0, 1], [[1, 1, 1, 1], [1, 1, 1, 0]], "Row 1, column 'x3' is not positive"),
        ([0], [["a", "b", "c", "d"]], "real numbers"),
        ([0], [1.0, 1.0, 1.0, 1.0], "matrix"),
    ],
)
def test_bad_rows_change_nothing(model, values, ids, rows, message):
    data = series_of(values, 2)
    bank = model.bank(2)
    push_all(bank, data, range(12))
    with pytest.raises(DataError, match=message):
        bank.push(ids, rows)
    assert bank.counts([0, 1]).tolist() == [12, 12]


def test_threads_queue_up(model, values):
    data = series_of(values, 4)
    bank, alone = model.bank(4), model.bank(4)

    def push(i):
        return [bank.push([i], data[i, t : t + 1]) for t in range(60)]

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(push, range(4)))
    for i in range(4):
        for t in range(60):
            expected = alone.push([i], data[i, t : t + 1])
            np.testing.assert_array_equal(found[i][t].probability, expected.probability)


@pytest.mark.parametrize("rules", [{}, {"missing": "gap"}], ids=["trim", "gap"])
def test_a_commit_makes_the_same_change_without_the_model(model, values, rules):
    model = model.with_rules(**rules)
    bank, again = model.bank(3), model.bank(3)
    rows = series_of(values, 3)[:, :20].reshape(60, -1)
    if rules:
        rows[25, 1] = np.nan
    ids, commits = np.repeat(np.arange(3), 20), []
    for order in (np.arange(60), np.arange(60)[::-1]):
        ticks = bank.push(ids[order], rows[order], before=lambda *told: commits.append(told))
        again.redo(commits[-1][0])
        assert commits[-1][1] is ticks
        assert bank.snapshot()["sha256"] == again.snapshot()["sha256"]
    assert bank.snapshot()["sha256"] != model.bank(3).snapshot()["sha256"]


def test_what_is_told_before_a_push_may_refuse_it(model, values):
    bank = model.bank(1)

    def refuse(commit, ticks):
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        bank.push([0], values[:1], before=refuse)
    assert bank.counts([0]).tolist() == [0]


@pytest.mark.parametrize("rules", [{}, {"missing": "gap"}], ids=["trim", "gap"])
def test_ticks_name_their_row_of_the_push(model, values, rules):
    model = model.with_rules(**rules)
    bank, stream = model.bank(2), model.stream()
    rows = values[:40].copy()
    if rules:
        rows[20, 0] = np.nan
    own = [stream.push(row) for row in rows]
    full = [row for row, tick in enumerate(own) if tick is not None and tick.regime >= 0]
    others = np.repeat([0, 1], [40, 5])  # and those of a series without a full window
    ticks = bank.push(others, np.concatenate([rows, values[:5]]))
    assert ticks.row.tolist() == full
    assert ticks.regime.tolist() == [own[row].regime for row in full]
    assert len(full) < 40 - model.rows if rules else len(full) == 41 - model.rows
