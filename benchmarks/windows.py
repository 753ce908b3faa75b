"""The window library's figures: ``python -m benchmarks.windows``.

Ratios from one run on the same work: calls take turns, each figure is a median. Where numpy or
Python could do it in several ways, the fastest of those tried is the one compared with.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable

import numpy as np

from benchmarks.machine import describe_machine
from regimetry._core import jump_labels
from regimetry.runtime.recursion import Recursion, jump_path
from regimetry.runtime.ring import Ring
from regimetry.windows import StreamBank, gather_windows, rolling_windows

Call = Callable[[], object]
RANDOM = np.random.default_rng(0)
sliding = np.lib.stride_tricks.sliding_window_view


def medians(calls: dict[str, Call], seconds: float = 1.5) -> dict[str, float]:
    """Return each call's median seconds; the calls take turns, `seconds` for each in all."""
    inner, times = {}, {name: [] for name in calls}
    for name, call in calls.items():
        call()
        start = time.perf_counter()
        call()
        # Blocks of a millisecond or more, so that reading the clock does not count.
        inner[name] = max(1, int(1e-3 / max(time.perf_counter() - start, 1e-9)))
    stop = time.perf_counter() + seconds * len(calls)
    while time.perf_counter() < stop or len(times[name]) < 5:
        for name, call in calls.items():
            start = time.perf_counter()
            for _ in range(inner[name]):
                call()
            times[name].append((time.perf_counter() - start) / inner[name])
    return {name: statistics.median(values) for name, values in times.items()}


def row(figure: str, target: str, measured: str) -> None:
    print(f"| {figure} | {target} | {measured} |", flush=True)


def rolling() -> None:
    values = RANDOM.standard_normal((10_000, 16))
    found = medians(
        {
            "ours": lambda: rolling_windows(values, 60),
            "numpy": lambda: sliding(values, 60, axis=0).transpose(0, 2, 1),
        }
    )
    ratio = found["numpy"] / found["ours"]
    row("rolling view, times faster than `sliding_window_view`", ">= 20", f"{ratio:.0f}")
    row("rolling view, one call", "", f"{1e9 * found['ours']:.0f} ns")


def gather_in_place(count: int, stride: int, target: str) -> None:
    window, width = 60, 16
    values = RANDOM.standard_normal(((count - 1) * stride + window, width), dtype=np.float32)
    starts = np.arange(count) * stride
    out = np.zeros((count, window, width), dtype=np.float32)
    same_bytes = np.ones_like(out)
    found = medians(
        {
            "ours": lambda: gather_windows(values, starts, out),
            "memcpy": lambda: np.copyto(out, same_bytes),
        }
    )
    row(
        f"gather, float32 rows in place, {count} windows, stride {stride}: share of memcpy's rate",
        target,
        f"{found['memcpy'] / found['ours']:.0%} ({out.nbytes / found['ours'] / 1e9:.0f} GB/s)",
    )


def gather_converting(count: int, stride: int, target: str) -> None:
    window, width = 60, 16
    values = np.asfortranarray(RANDOM.standard_normal((200_000, width)))
    starts = np.arange(count) * stride + 1000
    out = np.zeros((count, window, width), dtype=np.float32)
    rows = slice(starts[0], starts[-1] + window)
    index = (starts - starts[0])[:, None] + np.arange(window)
    windows = sliding(values, window, axis=0).transpose(0, 2, 1)

    def from_converted(order: str) -> None:
        part = values[rows].astype(np.float32, order=order)
        out[...] = sliding(part, window, axis=0)[::stride].transpose(0, 2, 1)

    def with_take() -> None:
        part = values[rows].astype(np.float32, order="C")
        np.take(part, index, axis=0, out=out, mode="clip")

    found = medians(
        {
            "ours": lambda: gather_windows(values, starts, out),
            "copy the view": lambda: np.copyto(
                out, windows[rows.start : starts[-1] + 1 : stride], casting="same_kind"
            ),
            "index": lambda: np.copyto(out, values[starts[0] + index], casting="same_kind"),
            "convert, copy the view": lambda: from_converted("C"),
            "convert as it lies, copy the view": lambda: from_converted("K"),
            "convert, take": with_take,
        },
        seconds=0.7,
    )
    ours = found.pop("ours")
    best = min(found, key=found.__getitem__)
    row(
        f"gather from float64 column-major, {count} windows, stride {stride}: "
        f"times the best of 5 in numpy (*{best}*)",
        target,
        f"{found[best] / ours:.1f} ({out.nbytes / ours / 1e9:.0f} GB/s)",
    )


def tick() -> None:
    window, width = 64, 16
    bar = RANDOM.standard_normal(width)
    ring, rows = Ring(window, width, np.float32), deque(maxlen=window)
    for number in range(window):
        ring.put(number, bar)
        rows.append(bar)

    def ours() -> None:
        ring.put(window, bar)
        ring.last(window + 1, window)

    def with_deque(join: Callable[[deque], np.ndarray]) -> None:
        rows.append(bar)
        join(rows)

    found = medians(
        {
            "ours": ours,
            "array": lambda: with_deque(lambda r: np.array(r, dtype=np.float32)[None]),
            "stack": lambda: with_deque(
                lambda r: np.stack(r, dtype=np.float32, casting="same_kind")
            ),
        }
    )
    other = min(found["array"], found["stack"])
    row(
        "stream tick, W 64, F 16: row and window",
        "< 1.2 us",
        f"{1e6 * found['ours']:.2f} us",
    )
    row("stream tick, times faster than a deque of rows", ">= 8", f"{other / found['ours']:.0f}")


def bank() -> None:
    streams, window, width = 5000, 30, 16
    ids = RANDOM.permutation(streams)
    rows = RANDOM.standard_normal((streams, width), dtype=np.float32)
    slab = StreamBank(streams, window, width)
    deques = [deque(maxlen=window) for _ in range(streams)]
    arrays = np.zeros((streams, window, width), dtype=np.float32)
    for _ in range(window):
        slab.commit(ids, rows)
        for number, bar in zip(ids, rows, strict=True):
            deques[number].append(bar)

    def loop(windows_of: Callable[[int, np.ndarray], np.ndarray]) -> np.ndarray:
        batch = np.empty((streams, window, width), dtype=np.float32)
        for at, (number, bar) in enumerate(zip(ids, rows, strict=True)):
            batch[at] = windows_of(number, bar)
        return batch

    def from_deque(number: int, bar: np.ndarray) -> np.ndarray:
        deques[number].append(bar)
        return np.array(deques[number])

    def from_array(number: int, bar: np.ndarray) -> np.ndarray:
        own = arrays[number]
        own[:-1] = own[1:]
        own[-1] = bar
        return own

    def push(threads: int) -> None:
        slab.stage(ids, rows, threads)
        slab.commit(ids, rows)

    source, out = np.ones_like(arrays), np.zeros_like(arrays)
    found = medians(
        {
            "one": lambda: push(1),
            "two": lambda: push(2),
            "memcpy": lambda: np.copyto(out, source),
            "deque": lambda: loop(from_deque),
            "array": lambda: loop(from_array),
        }
    )
    name = "bank, 5000 streams, W 30, F 16, a row each"
    for key, what in (("deque", "deques"), ("array", "arrays")):
        one, two = (f"{found[key] / found[threads]:.0f}" for threads in ("one", "two"))
        row(f"{name}: times a loop over {what}", ">= 30", f"{one} (2 threads: {two})")
    row(
        f"{name}: one push, and memcpy of its windows",
        "",
        f"{1e3 * found['one']:.2f} ms (2 threads: {1e3 * found['two']:.2f}), "
        f"{1e3 * found['memcpy']:.2f} ms",
    )


def recursion() -> None:
    bars, k, penalty, few = 1_000_000, 5, 1.0, 10_000
    distance = RANDOM.random((bars, k))
    lists = distance[:few].tolist()

    def with_numpy() -> None:
        costs, labels = np.zeros(k), []
        for d in distance[:few]:
            costs = d + np.minimum(costs, costs.min() + penalty)
            labels.append(costs.argmin())

    def with_lists() -> None:
        costs, labels = [0.0] * k, []
        for d in lists:
            limit = min(costs) + penalty
            costs = [x + (y if y < limit else limit) for x, y in zip(d, costs, strict=True)]
            labels.append(costs.index(min(costs)))

    ours = {
        "`jump_labels`": lambda: jump_labels(distance, penalty),
        "`Recursion`": lambda: Recursion(penalty)(distance),
        "`jump_path`": lambda: jump_path(distance, penalty),
    }
    found = medians(
        {
            **ours,
            "numpy": with_numpy,
            "lists": with_lists,
        }
    )
    for name in ours:
        ratios = [found[other] / few / (found[name] / bars) for other in ("numpy", "lists")]
        row(f"{name}, 1 000 000 bars, K 5", "< 50 ms", f"{1e3 * found[name]:.1f} ms")
        row(
            f"{name}, times a Python loop over numpy rows (over lists of floats)",
            ">= 200",
            f"{ratios[0]:.0f} ({ratios[1]:.0f})",
        )


FIT = """
import sys
import regimetry as rg
config = rg.EncoderConfig(embedding_dim=8, head_size=8, num_heads=1, ff_dim=8,
                          num_transformer_blocks=1, window_size=60)
import numpy as np
values = np.random.default_rng(0).standard_normal((1500, 16))
detector = rg.RegimeDetector(window_size=60, n_regimes=3, encoder=config, objective=None,
                             n_landmarks=200, random_state=0)
detector.fit(values).save(sys.argv[1])
"""

EMBED = """
import json, sys
import numpy as np
import regimetry as rg
model = rg.load(sys.argv[1])
values = np.random.default_rng(0).standard_normal((1_000_000, 16))
embedding = model.embed(values)
print(json.dumps([values.nbytes, embedding.nbytes]))
"""


def memory() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/small.onnx"
        python = [sys.executable, "-I", "-c"]
        subprocess.run([*python, FIT, path], check=True, stderr=subprocess.DEVNULL)
        process = subprocess.Popen([*python, EMBED, path], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"embedding failed with status {status}")
    given, returned = (size / 2**20 for size in json.loads(text))
    extra = usage.ru_maxrss / 1024 - given - returned
    row(
        "peak of a process that embeds 1 000 000 bars, W 60, F 16, beyond input and output",
        "<= 300 MiB",
        f"{extra:.0f} MiB (input {given:.0f}, output {returned:.0f})",
    )


def main() -> None:
    print(f"Measured on {describe_machine()}.\n")
    print("| figure | target | measured |\n|---|---|---|")
    rolling()
    gather_in_place(64, 60, ">= 90 %")
    gather_in_place(4096, 60, ">= 90 %")
    gather_in_place(64, 1, ">= 90 %")
    gather_in_place(4096, 1, ">= 90 %")
    gather_converting(64, 1, ">= 3")
    gather_converting(64, 60, ">= 3")
    gather_converting(4096, 1, ">= 3")
    tick()
    bank()
    recursion()
    memory()


if __name__ == "__main__":
    main()
