import copy
import gc
import pickle

import numpy as np
import oracles
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from layouts import SMALL, laid_out, matrices
from refusals import refused

from regimetry.windows import StreamBuffer

BAD_ROWS = [
    [1.0, 2.0],
    None,
    np.zeros(2, dtype=np.int64),
    np.zeros(2, dtype=object),
    np.zeros(2, dtype=">f8"),
    np.zeros((2, 2)),
    np.zeros((1, 2, 3, 4)),
    np.float64(1.0),
    np.array(["a", "b"]),
    np.array([np.nan, 0.0]),
    np.array([0.0, -np.inf]),
    np.array([1e300, 0.0]),
    np.zeros(1),
    np.zeros(3),
    np.zeros(0),
    np.ma.zeros(2),
]


class Live(RuleBasedStateMachine):
    """A buffer beside its twin, under every call in any order, good and bad."""

    @initialize(size=st.integers(1, 6), width=st.integers(1, 3))
    def begin(self, size, width):
        self.width = width
        self.buffer = StreamBuffer(size, width)
        self.twin = oracles.StreamBuffer(size)
        self.snapshots = []

    @rule(data=st.data())
    def push(self, data):
        values = data.draw(matrices(rows=(1, 1), cols=(self.width, self.width), elements=SMALL))
        row = values[0, ::-1] if data.draw(st.booleans()) else values[0]
        self.buffer.push(row)
        self.twin.push(row)

    @rule(data=st.data())
    def extend(self, data):
        rows = data.draw(matrices(rows=(0, 15), cols=(self.width, self.width), elements=SMALL))
        self.buffer.extend(rows)
        for row in rows:
            self.twin.push(row)

    @rule(row=st.sampled_from(BAD_ROWS))
    def push_bad(self, row):
        if not (isinstance(row, np.ndarray) and row.shape == (self.width,) and _good(row)):
            with refused():
                self.buffer.push(row)

    @rule(data=st.data(), bad=st.sampled_from([np.nan, np.inf, -1e39]))
    def extend_bad(self, data, bad):
        n = data.draw(st.integers(1, 15))
        rows = np.zeros((n, self.width))
        at = data.draw(st.integers(0, n - 1))
        rows[at, data.draw(st.integers(0, self.width - 1))] = bad
        with refused(f"row {at} holds"):
            self.buffer.extend(rows)
        with refused(f"a row has {self.width + 1} values; expected {self.width}"):
            self.buffer.extend(np.zeros((n, self.width + 1)))

    @rule()
    def reset(self):
        self.buffer.reset()
        self.twin.rows.clear()

    @rule()
    def snapshot(self):
        self.snapshots.append((self.buffer.snapshot(), list(self.twin.rows)))

    @precondition(lambda self: self.snapshots)
    @rule(data=st.data(), elsewhere=st.booleans())
    def restore(self, data, elsewhere):
        snapshot, rows = data.draw(st.sampled_from(self.snapshots))
        if elsewhere:
            self.buffer = StreamBuffer(self.buffer.window_size, self.width)
        self.buffer.restore(snapshot)
        self.twin.rows = list(rows)

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
            self.buffer.restore(forged)

    @invariant()
    def the_twin_agrees(self):
        if not hasattr(self, "buffer"):
            return
        window = self.twin.window()
        assert self.buffer.count == len(self.twin.rows)
        assert self.buffer.ready == (window is not None)
        if window is None:
            with refused("expected a full window"):
                self.buffer.window()
        else:
            found = self.buffer.window()
            assert found.dtype == np.float32
            assert found.flags.c_contiguous
            assert found.flags.aligned
            assert not found.flags.writeable
            np.testing.assert_array_equal(found, window[None])


FORGERIES = [
    None,
    "x",
    -1,
    2**62,
    2**64,
    10**30,
    2.5,
    True,
    np.zeros(2),
    np.zeros((99, 1)),
    [[1.0]],
]


def _good(row):
    return (
        row.dtype in (np.float32, np.float64)
        and row.dtype.isnative
        and oracles.usable(row[None])[0]
    )


TestLive = Live.TestCase
TestLive.settings = settings(deadline=None, max_examples=50, stateful_step_count=20)


@settings(deadline=None)
@given(rows=matrices(rows=(0, 40), elements=SMALL, cols=(1, 4)), size=st.integers(1, 9))
def test_extend_is_as_many_pushes(rows, size):
    pushed, extended = (StreamBuffer(size, rows.shape[1]) for _ in range(2))
    for row in rows:
        pushed.push(row)
    extended.extend(rows)
    one, other = pushed.snapshot(), extended.snapshot()
    np.testing.assert_array_equal(one.pop("rows"), other.pop("rows"))
    assert one == other
    assert one["count"] == len(rows)


def test_a_window_is_a_view_until_the_next_push():
    buffer = StreamBuffer(3, 2)
    buffer.extend(np.arange(6.0).reshape(3, 2))
    window = buffer.window()
    kept = window.copy()
    # Neither another look, nor a refused row, nor a snapshot ends its validity.
    assert np.shares_memory(window, buffer.window())
    for row in (np.array([np.nan, 1.0]), np.array([7.0, np.inf]), np.zeros(3)):
        with refused():
            buffer.push(row)
    with refused("row 1 holds nan"):
        buffer.extend(np.array([[1.0, 2.0], [3.0, np.nan]]))
    buffer.snapshot()
    np.testing.assert_array_equal(window, kept)
    # The next row does: the view now shows it, in the place of the oldest.
    buffer.push(np.array([8.0, 9.0]))
    np.testing.assert_array_equal(window[0, 0], [8.0, 9.0])
    np.testing.assert_array_equal(buffer.window()[0], [[2, 3], [4, 5], [8, 9]])


def test_a_window_keeps_the_buffer_alive_and_is_read_only():
    buffer = StreamBuffer(2, 1)
    buffer.extend(np.ones((2, 1)))
    window = buffer.window()
    assert window.base is buffer
    del buffer
    gc.collect()
    assert window.sum() == 2.0
    with pytest.raises(ValueError, match="read-only"):
        window[0, 0, 0] = 1.0
    with pytest.raises(ValueError, match="WRITEABLE"):
        window.flags.writeable = True


def test_the_counter_has_64_bits():
    buffer = StreamBuffer(2, 1)
    snapshot = buffer.snapshot() | {"count": 2**33, "rows": np.ones((2, 1), dtype=np.float32)}
    buffer.restore(snapshot)
    buffer.push(np.array([5.0]))
    assert buffer.count == 2**33 + 1
    np.testing.assert_array_equal(buffer.window().ravel(), [1.0, 5.0])


@pytest.mark.parametrize("layout", ["rows", "columns", "backwards", "steps", "misaligned"])
def test_a_row_may_have_any_stride(layout):
    rows = laid_out(np.arange(12.0).reshape(3, 4), layout)
    buffer = StreamBuffer(1, 4)
    for row in rows:
        buffer.push(row)
        np.testing.assert_array_equal(buffer.window()[0, 0], row)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((0, 1), "window_size is 0"),
        ((-5, 1), "window_size is -5"),
        ((1, 0), "n_features is 0"),
        ((2**62, 2**62), "does not fit into 64 bits"),
        ((2**40, 16), "GiB"),
        ((2**70, 1), "fits into 64 bits"),
        ((1.0, 1), "window_size is a float"),
        ((1, None), "n_features is a NoneType"),
    ],
)
def test_impossible_sizes_are_refused(arguments, part):
    with refused(part):
        StreamBuffer(*arguments)


@pytest.mark.parametrize("row", BAD_ROWS, ids=repr)
def test_a_bad_row_is_refused_in_words(row):
    buffer = StreamBuffer(1, 2)
    with refused():
        buffer.push(row)
    assert buffer.count == 0


@pytest.mark.parametrize("snapshot", [None, [], "x", {}, {"kind": "stream_bank"}])
def test_a_snapshot_of_something_else_is_refused(snapshot):
    with refused("snapshot"):
        StreamBuffer(1, 1).restore(snapshot)


def test_copies_go_through_snapshots():
    buffer = StreamBuffer(2, 1)
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="pickle"):
            duplicate(buffer)
    again = pickle.loads(pickle.dumps(buffer.snapshot()))
    buffer.restore(again)


def test_an_object_without_init_is_refused():
    with pytest.raises(TypeError, match="not initialised"):
        StreamBuffer.__new__(StreamBuffer).window()
