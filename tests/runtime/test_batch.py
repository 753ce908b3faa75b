import threading
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import regimetry as rg
from regimetry.errors import DataError, ModelError
from regimetry.runtime import batch, binding
from regimetry.runtime.batch import pieces, run_gathered, run_windows
from regimetry.runtime.graphfile import GraphFile
from regimetry.runtime.shared_session import SharedSession


@pytest.fixture(scope="module")
def session(model_path):
    return SharedSession(GraphFile.read(model_path), device="cpu")


@given(
    first=st.integers(0, 50), count=st.integers(0, 400), batch_size=st.sampled_from([1, 6, 64, 100])
)
def test_pieces_cover_all_with_few_sizes(first, count, batch_size):
    cut = list(pieces(first, first + count, batch_size))
    assert [i for start, size in cut for i in range(start, start + size)] == list(
        range(first, first + count)
    )
    allowed = {batch_size, 1, 2, 3, *(1 << n for n in range(10) if 1 << n < batch_size)}
    assert {size for _, size in cut} <= allowed
    assert all(size >= 4 for _, size in cut[:-1] if batch_size >= 4)


@pytest.mark.parametrize("batch_size", [1, 7, 64, 10_000])
@pytest.mark.parametrize("threads", [1, 2, 5])
def test_neither_batches_nor_threads_change_results(session, values, batch_size, threads):
    names = ("embedding", "distance", "regime", "novelty")
    expected = run_windows(session, values, names)
    found = run_windows(session, values, names, threads=threads, batch_size=batch_size)
    assert set(found) == set(names)
    for name in names:
        exact = batch_size == batch.BATCH_SIZE  # other sizes round differently
        np.testing.assert_allclose(found[name], expected[name], atol=0 if exact else 1e-4)


def test_results_are_those_of_onnxruntime_itself(session, values):
    windows = np.ascontiguousarray(rg.rolling_windows(values.astype(np.float32), 11)[:128])
    (expected,) = session.raw.run(["embedding"], {"window": windows[:64]})
    found = run_gathered(session, windows, ("embedding",))["embedding"]
    np.testing.assert_array_equal(found[:64], expected)
    view = rg.rolling_windows(values, 11)[:128]
    np.testing.assert_array_equal(run_gathered(session, view, ("embedding",))["embedding"], found)
    by_gathering = run_windows(session, values[:138], ("embedding",))["embedding"]
    np.testing.assert_array_equal(found, by_gathering)


@pytest.mark.parametrize("threads", [1, 2])
def test_windows_that_begin_anywhere_are_those_of_the_series(session, values, threads):
    names = ("distance", "regime", "novelty")
    every = run_windows(session, values, names)
    starts = np.random.default_rng(0).integers(0, len(values) - 10, 333)
    found = run_windows(session, values, names, starts=starts, threads=threads)
    for name in names:
        np.testing.assert_array_equal(found[name], every[name][starts])
    assert not np.array_equal(found["distance"], every["distance"][starts - 1])


def test_no_starts_give_no_rows(session, values):
    none = np.empty(0, np.int64)
    found = run_windows(session, values, ("distance", "regime"), starts=none, threads=2)
    assert found["distance"].shape == (0, 3)
    assert found["regime"].shape == (0,)
    short = run_windows(session, values[:3], ("distance",), starts=none)
    gathered = run_gathered(session, np.empty((0, 11, 4), np.float32), ("distance", "regime"))
    assert short["distance"].shape == gathered["distance"].shape == (0, 3)
    assert gathered["regime"].dtype == np.int64


@pytest.mark.parametrize("threads", [1, 3])
def test_a_failure_ends_all_threads_and_names_the_model(session, values, monkeypatch, threads):
    calls = []

    def fail(*_):
        calls.append(threading.current_thread())
        raise ModelError("it does not run")

    monkeypatch.setattr(batch, "bind", fail)
    with pytest.raises(ModelError, match="does not run"):
        run_windows(session, values, ("distance",), threads=threads, batch_size=8)
    assert len(calls) <= threads


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_memory_mapped_file_is_read_where_it_lies(model, values, tmp_path, dtype):
    path = tmp_path / "values.npy"
    np.save(path, values.astype(dtype))
    mapped = np.load(path, mmap_mode="r")
    np.testing.assert_array_equal(model.predict(mapped), model.predict(values.astype(dtype)))
    np.testing.assert_array_equal(model.embed(mapped), model.embed(values.astype(dtype)))


def test_memory_is_that_of_the_results(model, values, tmp_path):
    path = tmp_path / "long.npy"
    np.save(path, np.tile(values, (80, 1)))  # 56 000 rows, 1.8 MB; their windows take 10 MB
    mapped = np.load(path, mmap_mode="r")
    tracemalloc.start()
    model.predict(mapped)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Where its window begins, 3 distances, a label, and the label once more, at its bar.
    a_row = 8 + 4 * 3 + 8 + 8
    assert peak < a_row * len(mapped) + 300_000


def test_a_late_missing_value_in_a_long_series_is_named(model, values):
    series = np.tile(values, (100, 1))
    series[69_000, 1] = np.nan
    with pytest.raises(DataError, match="Row 69000, column 'x1' holds nan"):
        model.predict(series)
    series[69_000, 1] = 0
    series[68_000, 3] = 0
    with pytest.raises(DataError, match="Row 68000, column 'x3' is not positive"):
        model.predict(series)


def test_many_threads_share_a_model(model_path, values):
    model = rg.load(model_path, threads=2)
    slices = [values[i : i + 300] for i in range(0, 400, 20)]
    expected = [(model.predict(part), model.embed(part)) for part in slices]

    def work(number):
        part = slices[number % len(slices)]
        stream = model.stream()
        ticks = [stream.push(row) for row in part[:30]]
        return number, model.predict(part), model.embed(part), ticks[-1].regime

    with ThreadPoolExecutor(8) as pool:
        for number, labels, embedding, regime in pool.map(work, range(60)):
            np.testing.assert_array_equal(labels, expected[number % len(slices)][0])
            np.testing.assert_array_equal(embedding, expected[number % len(slices)][1])
            assert regime == labels[29]


@pytest.mark.parametrize("graphs", [False, True])
def test_batches_through_device_buffers_are_the_same(model_path, values, graphs):
    # On a GPU the device is "cuda"; the buffers and the copies are the same on this one.
    session = SharedSession(GraphFile.read(model_path), device="cpu", cuda_graphs=graphs)
    windows = np.ascontiguousarray(rg.rolling_windows(values.astype(np.float32), 11)[:12])
    expected = run_gathered(session, windows, ("embedding", "regime"), batch_size=4)
    buffers, found = binding._DeviceBuffers(session, 4, "cpu"), session.empty_outputs(4, expected)
    for first in (0, 4, 8):
        buffers.run(windows[first : first + 4], found)
        for name, array in expected.items():
            np.testing.assert_array_equal(found[name], array[first : first + 4])


def test_a_window_is_the_same_bits_whatever_follows_it(session, values):
    whole = run_windows(session, values, ("novelty", "distance", "embedding"))
    for rows in range(11, 90):
        for name, found in run_windows(session, values[:rows], tuple(whole)).items():
            np.testing.assert_array_equal(found, whole[name][: len(found)])
