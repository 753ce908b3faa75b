import numpy as np
import oracles
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from layouts import LAYOUTS, SMALL, laid_out
from refusals import refused

from regimetry.windows import StreamBank

FORGERIES = [None, "x", -1, 2**64, 2.5, True, np.zeros(2), np.array([5, -1]), np.zeros((1, 1, 9))]


def indices(ids):
    return np.array(ids, dtype=np.int64)


class Live(RuleBasedStateMachine):
    """A bank beside a dictionary of twins, under every call in any order, good and bad."""

    FRESH = np.array([0.0, 7.0])

    @initialize(
        n=st.integers(0, 4),
        spare=st.integers(0, 4),
        size=st.integers(1, 4),
        width=st.integers(1, 3),
    )
    def begin(self, n, spare, size, width):
        self.size, self.width, self.capacity = size, width, max(n + spare, 1)
        self.bank = StreamBank(n, size, width, self.capacity, self.FRESH)
        self.twin = oracles.StreamBank(n, size)
        self.numbers = dict.fromkeys(range(n), self.FRESH)
        self.snapshots = []

    def draw_ids(self, data, most=8, *, unique=False):
        if not self.twin.streams:
            return []
        ids = st.sampled_from(sorted(self.twin.streams))
        return data.draw(st.lists(ids, max_size=most, unique=unique))

    def draw_rows(self, data, n):
        dtype = data.draw(st.sampled_from([np.float32, np.float64]))
        rows = data.draw(hnp.arrays(dtype, (n, self.width), elements=SMALL))
        return laid_out(rows, data.draw(st.sampled_from(LAYOUTS)))

    @rule(data=st.data(), threads=st.integers(1, 3), number=st.floats(-9, 9))
    def push(self, data, threads, number):
        ids = indices(self.draw_ids(data))  # repeated ids among them
        rows = self.draw_rows(data, len(ids))
        before = self.bank.snapshot()
        ready, windows = self.bank.stage(ids, rows, threads)
        for name, value in self.bank.snapshot().items():
            np.testing.assert_array_equal(value, before[name])  # nothing changed
        changed = np.unique(ids)
        self.bank.commit(ids, rows, changed, np.full((len(changed), 2), number))
        self.numbers |= dict.fromkeys(changed.tolist(), np.full(2, number))
        expected_ids, expected = self.twin.push(ids, rows)
        assert ready.tolist() == expected_ids
        assert windows.shape == (len(expected), self.size, self.width)
        assert windows.dtype == np.float32
        assert windows.flags.c_contiguous
        assert windows.flags.owndata
        if expected:
            np.testing.assert_array_equal(windows, np.stack(expected))

    @rule(count=st.integers(0, 3))
    def add(self, count):
        if len(self.twin.streams) + count > self.capacity:
            with refused(f"cannot add {count}"):
                self.bank.add(count)
        else:
            ids = self.twin.add(count)
            assert self.bank.add(count).tolist() == ids
            self.numbers |= dict.fromkeys(ids, self.FRESH)

    @rule(data=st.data())
    def drop(self, data):
        ids = self.draw_ids(data, 3, unique=True)
        self.bank.drop(indices(ids))
        for number in ids:
            del self.twin.streams[number]

    @rule(data=st.data(), everything=st.booleans())
    def reset(self, data, everything):
        ids = sorted(self.twin.streams) if everything else self.draw_ids(data)
        self.bank.reset(None if everything else indices(ids))
        for number in ids:
            self.twin.streams[number].rows.clear()
            self.numbers[number] = self.FRESH

    @rule()
    def snapshot(self):
        rows = {number: list(stream.rows) for number, stream in self.twin.streams.items()}
        self.snapshots.append((self.bank.snapshot(), rows, dict(self.numbers)))

    @precondition(lambda self: self.snapshots)
    @rule(data=st.data(), elsewhere=st.booleans())
    def restore(self, data, elsewhere):
        snapshot, rows, numbers = data.draw(st.sampled_from(self.snapshots))
        if elsewhere:
            self.bank = StreamBank(0, self.size, self.width, self.capacity, self.FRESH)
        self.bank.restore(snapshot)
        self.numbers = dict(numbers)
        self.twin.streams = {number: oracles.StreamBuffer(self.size) for number in rows}
        for number, kept in rows.items():
            self.twin.streams[number].rows = list(kept)

    @rule(data=st.data(), number=st.sampled_from([-1, 2**63 - 1, -(2**63), 8, 4]))
    def strangers(self, data, number):
        if number in self.twin.streams:
            return
        ids = self.draw_ids(data)
        at = data.draw(st.integers(0, len(ids)))
        ids = indices([*ids[:at], number, *ids[at:]])
        with refused(f"ids[{at}] is {number}"):
            self.bank.stage(ids, np.zeros((len(ids), self.width)))
        for method in (self.bank.reset, self.bank.counts, self.bank.numbers):
            with refused(f"ids[{at}] is {number}"):
                method(ids)
        with refused():  # a repeated id may come first
            self.bank.drop(ids)

    @rule(data=st.data(), bad=st.sampled_from([np.nan, np.inf, 1e39]))
    def bad_values(self, data, bad):
        ids = indices(self.draw_ids(data))
        if len(ids):
            rows = np.zeros((len(ids), self.width))
            at = data.draw(st.integers(0, len(ids) - 1))
            rows[at, data.draw(st.integers(0, self.width - 1))] = bad
            for method in (self.bank.stage, self.bank.commit):
                with refused(f"row {at} holds"):
                    method(ids, rows)
            with refused("numbers have shape (1, 3); expected (1, 2)"):
                self.bank.commit(ids, np.zeros_like(rows), ids[:1], np.zeros((1, 3)))
        for shape in ((len(ids) + 1, self.width), (len(ids), self.width + 1), (len(ids),)):
            with refused(f"{len(shape)} dimension" if len(shape) == 1 else f"{shape}"):
                self.bank.commit(ids, np.zeros(shape))

    @precondition(lambda self: self.snapshots)
    @rule(data=st.data())
    def restore_forged(self, data):
        good = data.draw(st.sampled_from(self.snapshots))[0]
        key = data.draw(st.sampled_from(sorted(good)))
        forged = dict(good)
        if data.draw(st.booleans()):
            del forged[key]
        else:
            forged[key] = data.draw(st.sampled_from(FORGERIES))
        with refused():
            self.bank.restore(forged)

    @invariant()
    def the_twin_agrees(self):
        if not hasattr(self, "bank"):
            return
        ids = sorted(self.twin.streams)
        counts = [len(self.twin.streams[number].rows) for number in ids]
        assert self.bank.n_streams == len(ids)
        assert self.bank.counts(indices(ids)).tolist() == counts
        snapshot = self.bank.snapshot()
        assert snapshot["ids"].tolist() == ids
        expected = np.reshape([self.numbers[number] for number in ids], (-1, 2))
        np.testing.assert_array_equal(snapshot["numbers"], expected)
        np.testing.assert_array_equal(self.bank.numbers(indices(ids)), expected)
        for number, rows in zip(ids, snapshot["rows"], strict=True):
            held = self.twin.streams[number].rows[-self.size :]
            np.testing.assert_array_equal(rows[: len(held)], np.reshape(held, (-1, self.width)))
            assert not rows[len(held) :].any()


TestLive = Live.TestCase
TestLive.settings = settings(deadline=None, max_examples=50, stateful_step_count=20)


def push(bank, ids, rows, threads=1):
    """Both steps."""
    found = bank.stage(ids, rows, threads)
    bank.commit(ids, rows)
    return found


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("threads", [1, 4])
def test_a_large_batch_equals_rows_taken_one_by_one(threads, dtype):
    random = np.random.default_rng(0)
    n, size, width = 600, 32, 16  # several MiB of windows: more than one thread
    bank = StreamBank(n, size, width, dtype=dtype)
    rows_of = [[] for _ in range(n)]
    for _ in range(3):
        ids = random.integers(0, n, 40 * n // 3)
        rows = random.standard_normal((len(ids), width))
        ready, windows = push(bank, ids, rows, threads)
        assert windows.dtype == dtype
        at = 0
        for number, row in zip(ids, rows.astype(dtype), strict=True):
            rows_of[number].append(row)
            if len(rows_of[number]) >= size:
                assert ready[at] == number
                np.testing.assert_array_equal(windows[at], rows_of[number][-size:])
                at += 1
        assert at == len(ready)
    assert at > n
    other = StreamBank(n, size, width, dtype=dtype)
    other.restore(bank.snapshot())
    for one, two in zip(push(bank, ids, rows), push(other, ids, rows), strict=True):
        np.testing.assert_array_equal(one, two)


def test_an_unknown_dtype_is_refused():
    with refused("dtype is 'int8'"):
        StreamBank(1, 1, 1, dtype="int8")
    with refused("float64"):
        StreamBank(1, 1, 1, dtype="float64").restore(StreamBank(1, 1, 1).snapshot())


def test_windows_stay_after_pushes_and_close():
    bank = StreamBank(1, 2, 1)
    _, windows = push(bank, indices([0, 0]), np.array([[1.0], [2.0]]))
    push(bank, indices([0]), np.array([[3.0]]))
    bank.close()
    assert windows.tolist() == [[[1.0], [2.0]]]


def test_a_million_streams_take_memory_only_as_they_fill():
    bank = StreamBank(0, 30, 16, capacity=10**6)  # 1.9 GB of addresses
    for first in range(0, 10**6, 10**5):
        assert bank.add(10**5)[0] == first
    assert bank.n_streams == 10**6
    bank.drop(indices([7, 10**6 - 1]))
    assert bank.add(2).tolist() == [7, 10**6 - 1]


def test_every_method_refuses_a_closed_bank():
    bank = StreamBank(2, 2, 1)
    snapshot = bank.snapshot()
    bank.close()
    bank.close()
    assert bank.closed
    ids = indices([0])
    for call in (
        lambda: bank.stage(ids, np.zeros((1, 1))),
        lambda: bank.commit(ids, np.zeros((1, 1))),
        lambda: bank.numbers(ids),
        lambda: bank.add(1),
        lambda: bank.drop(ids),
        lambda: bank.reset(ids),
        bank.reset,
        lambda: bank.counts(ids),
        bank.snapshot,
        lambda: bank.restore(snapshot),
    ):
        with refused("the bank is closed"):
            call()


def test_impossible_sizes_are_refused():
    for arguments, part in (
        ((1, 0, 1), "window_size=0"),
        ((1, 1, 0), "n_features=0"),
        ((-1, 1, 1), "n_streams=-1"),
        ((0, 1, 1), "capacity=0"),
        ((3, 1, 1, 2), "capacity=2"),
        ((1, 30, 16, 2**40), "GiB"),
        ((1, 1, 1, 2**62), "does not fit into 64 bits"),
        ((1, 2**40, 2**40), "does not fit into 64 bits"),
        ((2**70, 1, 1), "fits into 64 bits"),
        ((1.0, 1, 1), "n_streams is a float"),
        ((1, "2", 1), "window_size is a str"),
    ):
        with refused(part):
            StreamBank(*arguments)


def test_bad_arguments_are_refused():
    for ids, rows, threads, part in (
        ([0], np.zeros((1, 2)), 1, "ids is a list"),
        (np.zeros(1, dtype=np.int32), np.zeros((1, 2)), 1, "ids has dtype int32"),
        (np.zeros(1, dtype=">i8"), np.zeros((1, 2)), 1, "foreign byte order"),
        (np.zeros(1, dtype=object), np.zeros((1, 2)), 1, "ids has dtype object"),
        (np.zeros((1, 1), dtype=np.int64), np.zeros((1, 2)), 1, "ids has 2 dimension(s)"),
        (indices([0]), [[0.0, 0.0]], 1, "rows is a list"),
        (indices([0]), np.zeros((1, 2), dtype=int), 1, "rows has dtype int64"),
        (indices([0]), np.zeros((1, 2), dtype=">f4"), 1, "foreign byte order"),
        (indices([0]), np.zeros((1, 2), dtype=object), 1, "rows has dtype object"),
        (indices([0]), np.zeros(2), 1, "rows has 1 dimension(s)"),
        (indices([0]), np.zeros((1, 2)), 0, "threads is 0"),
        (indices([0]), np.zeros((1, 2)), 1.5, "threads is a float"),
    ):
        bank = StreamBank(3, 2, 2)
        with refused(part):
            bank.stage(ids, rows, threads)
        assert bank.counts(np.arange(3)).tolist() == [0, 0, 0]


def test_a_snapshot_of_something_else_is_refused():
    for snapshot in (
        None,
        [],
        {},
        {"kind": "stream_buffer"},
    ):
        with refused("snapshot"):
            StreamBank(1, 1, 1).restore(snapshot)


def test_a_snapshot_needs_room_and_an_object_its_init():
    snapshot = StreamBank(3, 2, 1).snapshot()
    with refused("the snapshot has"):
        StreamBank(2, 2, 1).restore(snapshot)
    with pytest.raises(TypeError, match="not initialised"):
        StreamBank.__new__(StreamBank).add()
