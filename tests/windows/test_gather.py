import numpy as np
import oracles
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import laid_out, matrices
from refusals import refused

from regimetry.windows import gather_windows, rolling_windows


@given(values=matrices(rows=(1, 40), cols=(0, 9)), data=st.data(), threads=st.integers(1, 3))
def test_a_batch_is_numpys_slices(values, data, threads):
    size = data.draw(st.integers(1, len(values)))
    count = data.draw(st.integers(0, 20))
    starts = data.draw(st.lists(st.integers(0, len(values) - size), min_size=count, max_size=count))
    if data.draw(st.booleans()):
        starts.sort()  # overlapping neighbours are taken from each other
    out = np.full((count, size, values.shape[1]), 7, dtype=np.float32)
    assert gather_windows(values, np.array(starts, dtype=np.int64), out, threads) is None
    np.testing.assert_array_equal(out, oracles.gather_windows(values, starts, size))


@given(step=st.integers(-3, 3), shift=st.sampled_from([0, 1, 4]), seed=st.integers(0, 9))
def test_starts_of_any_stride_and_alignment(step, shift, seed):
    values = np.random.default_rng(seed).standard_normal((50, 3))
    memory = np.zeros(8 * 40 + shift, dtype=np.uint8)
    starts = np.ndarray(40, np.int64, memory, offset=shift)
    starts[:] = np.arange(40)
    starts = np.broadcast_to(starts[:1], 40) if step == 0 else starts[::step]
    out = np.empty((len(starts), 5, 3), dtype=np.float32)
    gather_windows(values, starts, out)
    np.testing.assert_array_equal(out, oracles.gather_windows(values, starts, 5))


@pytest.mark.parametrize("layout", ["rows", "columns", "backwards", "steps", "misaligned"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("stride", [1, 7, 30])
def test_large_batches_by_several_threads(layout, dtype, stride):
    values = np.random.default_rng(0).standard_normal((6000, 11)).astype(dtype)
    values = laid_out(values, layout)
    starts = np.arange(0, 6000 - 30 + 1, stride)
    expected = rolling_windows(values, 30, stride).astype(np.float32)
    for threads in (1, 4):
        out = np.empty((len(starts), 30, 11), dtype=np.float32)
        gather_windows(values, starts, out, threads=threads)
        np.testing.assert_array_equal(out, expected)


VALUES = np.zeros((10, 2))
STARTS = np.arange(3)


def batch(shape=(3, 4, 2), dtype=np.float32):
    return np.full(shape, 5, dtype=dtype)


def read_only():
    out = batch()
    out.flags.writeable = False
    return out


def test_bad_input_is_refused_and_nothing_is_written():
    for values, starts, out, threads, part in (
        (VALUES, np.array([0, -1, 2]), batch(), 1, "starts[1] is -1"),
        (VALUES, np.array([0, 1, 7]), batch(), 1, "starts[2] is 7; expected 0 to 6"),
        (VALUES, np.array([0, 2**63 - 1, 2]), batch(), 1, "starts[1] is 9223372036854775807"),
        (VALUES, np.array([0, -(2**63), 2]), batch(), 1, "starts[1] is -9223372036854775808"),
        (VALUES, STARTS, batch((3, 11, 2)), 1, "window_size is 11 and there are only 10 rows"),
        (VALUES, STARTS, batch((3, 0, 2)), 1, "W >= 1"),
        (VALUES, STARTS, batch((2, 4, 2)), 1, "out has shape (2, 4, 2); expected (3, W, 2)"),
        (VALUES, STARTS, batch((3, 4, 3)), 1, "out has shape (3, 4, 3)"),
        (VALUES, STARTS, batch((3, 8)), 1, "out has 2 dimension(s)"),
        (VALUES, STARTS, batch(dtype=np.float64), 1, "out has dtype float64"),
        (VALUES, STARTS, batch(dtype=">f4"), 1, "foreign byte order"),
        (VALUES, STARTS, batch((2, 4, 3)).T, 1, "out is not C-contiguous"),
        (VALUES, STARTS, read_only(), 1, "out is read-only"),
        (VALUES, STARTS, laid_out(batch((12, 2)), "misaligned").reshape(3, 4, 2), 1, "misaligned"),
        (VALUES, STARTS, batch().tolist(), 1, "out is a list"),
        (VALUES, STARTS.astype(np.int32), batch(), 1, "starts has dtype int32"),
        (VALUES, STARTS.astype(">i8"), batch(), 1, "foreign byte order"),
        (VALUES, STARTS.astype(float), batch(), 1, "starts has dtype float64"),
        (VALUES, STARTS[:, None], batch(), 1, "starts has 2 dimension(s)"),
        (VALUES, [0, 1, 2], batch(), 1, "starts is a list"),
        (VALUES[:, 0], STARTS, batch(), 1, "values has 1 dimension(s)"),
        (VALUES.astype(np.int64), STARTS, batch(), 1, "values has dtype int64"),
        (VALUES.astype(object), STARTS, batch(), 1, "values has dtype object"),
        (VALUES.astype(">f8"), STARTS, batch(), 1, "foreign byte order"),
        (VALUES, STARTS, batch(), 0, "threads is 0"),
        (VALUES, STARTS, batch(), 10**6, "threads is 1000000"),
        (VALUES, STARTS, batch(), 1.0, "threads is a float"),
    ):
        before = np.array(out)
        with refused(part):
            gather_windows(values, starts, out, threads)
        np.testing.assert_array_equal(out, before)


def test_input_and_output_may_not_share_memory():
    memory = np.arange(20, dtype=np.float32).reshape(10, 2)
    with refused("share memory"):
        gather_windows(memory, np.arange(2), memory[:8].reshape(2, 4, 2))
    gather_windows(memory[:2], np.zeros(1, dtype=np.int64), memory[2:4].reshape(1, 2, 2))
    np.testing.assert_array_equal(memory[2:4], memory[:2])
