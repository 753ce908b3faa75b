"""What ``benchmarks.runtime`` times inside its process: each figure and its reference in turns.

Everything computes all outputs; ``benchmarks.outputs`` times less.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

import regimetry as rg
from regimetry.contract import OUTPUT_NAMES
from regimetry.windows import gather_windows

BATCH = 64
INSTRUMENTS = 5000
TICKS = 20_000


def in_turns(actions: dict[str, Callable[[int], object]], count: int, block: int) -> dict[str, Any]:
    """Time every action ``count`` times, in blocks that take turns; seconds each."""
    times: dict[str, list[float]] = {name: [] for name in actions}
    for first in range(0, count, block):
        for name, action in actions.items():
            for number in range(first, first + block):
                start = time.perf_counter()
                action(number)
                times[name].append(time.perf_counter() - start)
    return {name: np.array(values) for name, values in times.items()}


def open_bare(path: Path) -> onnxruntime.InferenceSession:
    """Open a file as anyone would, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def shift_buffer(path: Path, rows: int, penalty: float) -> Callable[[np.ndarray], int]:
    """Return what one writes without this package: shift, run, add the price of a change."""
    session = open_bare(path)
    width = session.get_inputs()[0].shape[2]
    buffer, costs = np.ones((1, rows, width), np.float32), np.zeros(1)

    def push(row: np.ndarray) -> int:
        nonlocal costs
        buffer[0, :-1] = buffer[0, 1:]
        buffer[0, -1] = row
        _, distance, _, _ = session.run(None, {"window": buffer})
        costs = distance[0] + np.minimum(costs, costs.min() + penalty)
        costs -= costs.min()
        return int(costs.argmin())

    return push


def ticks(model: rg.RegimeModel, folder: Path, values: np.ndarray) -> dict[str, np.ndarray]:
    """Time a tick, the bare run of the same graph, and the plain way."""
    rows = model.contract.window_rows
    stream, session = model.stream(outputs=OUTPUT_NAMES), open_bare(folder / "model.onnx")
    plain = shift_buffer(folder / "plain.onnx", rows, model.contract.jump_penalty)
    window = np.ascontiguousarray(values[None, :rows], np.float32)
    for row in values[: 2 * rows]:
        stream.push(row)
        plain(row)
    actions = {
        "bare": lambda number: session.run(None, {"window": window}),
        "push": lambda number: stream.push(values[number % len(values)]),
        "plain": lambda number: plain(values[number % len(values)]),
    }
    in_turns(actions, 200, 50)
    return in_turns(actions, TICKS, 500)


def batches(model: rg.RegimeModel, path: Path, values: np.ndarray) -> dict[str, float]:
    """Time series in batches, a tick of a bank, and bare runs of the same windows."""
    session = open_bare(path)
    rows = model.contract.window_rows
    starts = np.arange(INSTRUMENTS)
    windows = np.empty((INSTRUMENTS, rows, values.shape[1]), np.float32)
    gather_windows(values, starts, windows)
    series = values[: INSTRUMENTS + rows - 1]
    bank = model.bank(INSTRUMENTS, outputs=OUTPUT_NAMES)
    for row in range(rows):
        bank.push(starts, values[row : row + INSTRUMENTS])

    def bare(_: int) -> None:
        for first in range(0, INSTRUMENTS, BATCH):
            session.run(None, {"window": windows[first : first + BATCH]})

    times = in_turns(
        {
            "bare": bare,
            "outputs": lambda _: model.outputs(series),
            "bank": lambda n: bank.push(starts, values[n : n + INSTRUMENTS]),
            "gather": lambda _: gather_windows(values, starts, windows),
        },
        5,
        1,
    )
    return {name: float(np.median(values)) for name, values in times.items()}


def on_two_cpus(path: Path, values: np.ndarray) -> dict[str, float]:
    """Return how much faster two CPUs are than one: our batches side by side, or one run on two."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    bare = {
        1: open_bare(path),
        2: onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]),
    }
    models = {threads: rg.load(path, threads=threads, device="cpu") for threads in (1, 2)}
    rows = models[1].contract.window_rows
    windows = np.empty((BATCH, rows, values.shape[1]), np.float32)
    gather_windows(values, np.arange(BATCH), windows)

    def run(threads: int) -> None:
        for _ in range(16):
            bare[threads].run(None, {"window": windows})

    series = values[: 16 * BATCH + rows - 1]
    times = in_turns(
        {
            "one": lambda _: models[1].outputs(series),
            "two": lambda _: models[2].outputs(series),
            "bare one": lambda _: run(1),
            "bare two": lambda _: run(2),
        },
        7,
        1,
    )
    middle = {name: float(np.median(seconds)) for name, seconds in times.items()}
    return {
        "side by side": middle["one"] / middle["two"],
        "one run": middle["bare one"] / middle["bare two"],
    }
