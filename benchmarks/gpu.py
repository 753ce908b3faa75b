"""A model on a GPU beside the CPU: ``python -m benchmarks.gpu [--model model.onnx]``.

Labels and embeddings against the CPU's, then ticks, a series in batches and a bank, with CUDA
graphs and input and output binding on and off, and the device's memory. Exits with 2 where there
is no device.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

import regimetry as rg
from benchmarks.machine import describe_machine
from benchmarks.runtime_timing import in_turns
from regimetry.runtime.providers import CUDA, preload_cuda
from regimetry.runtime.trial import try_provider
from regimetry.series.samples import market_sample
from regimetry.windows import rolling_windows

MODEL = Path(__file__).parents[1] / "models" / "sp500.onnx"
BATCHES = (64, 1024)
INSTRUMENTS = 4000
TOLERANCE = 1e-3
"""Of the largest entry of the embedding: a GPU may multiply in TensorFloat-32."""


@dataclass(frozen=True)
class Row:
    """What was measured of one way to run a model; times in microseconds.

    Attributes
    ----------
    name : str
    p50, p99 : float
        Of a tick.
    per_window : tuple of float
        Of a long series, in batches of the sizes of ``BATCHES``.
    bank : float or None
        Of a row in a push of ``INSTRUMENTS`` rows; ``None`` without a bank.
    difference : float
        Of the embedding from the CPU's, relative to its largest entry.
    labels : float
        Share that is the CPU's.
    memory : str
        MiB of the device that were taken.
    """

    name: str
    p50: float
    p99: float
    per_window: tuple[float, ...]
    bank: float | None
    difference: float
    labels: float
    memory: str

    def is_right(self) -> bool:
        """Say whether it gives what the CPU gives."""
        return self.labels == 1 and self.difference <= TOLERANCE

    def line(self) -> str:
        """Return the row of the table."""
        bank = "" if self.bank is None else f"{self.bank:.2f}"
        batches = " | ".join(f"{time:.2f}" for time in self.per_window)
        return (
            f"| {self.name} | {self.p50:.0f} | {self.p99:.0f} | {batches} | {bank} | "
            f"{self.memory} | {self.difference:.0e} | {self.labels:.2%} |"
        )


@dataclass(frozen=True)
class Expected:
    """What the CPU gives: embeddings, causal labels, nearest regimes."""

    embedding: np.ndarray
    labels: np.ndarray
    nearest: np.ndarray

    def difference(self, embedding: np.ndarray) -> float:
        """Return the largest difference of an embedding, relative to the largest entry."""
        return float(np.abs(embedding - self.embedding).max() / np.abs(self.embedding).max())


def used_memory() -> int | None:
    """Return MiB in use on the first device, by ``nvidia-smi``, if that is there."""
    command = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        return int(
            subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[0]
        )
    except (OSError, subprocess.CalledProcessError, ValueError, IndexError):
        return None


def taken_since(before: int | None) -> str:
    """Return MiB that were taken since then."""
    now = used_memory()
    return "unknown" if before is None or now is None else str(now - before)


def of_model(
    path: Path, values: np.ndarray, name: str, *, expected: Expected, count: int, **given: Any
) -> Row:
    """Measure a model as the runtime runs it, with its inputs and outputs bound."""
    before = used_memory()
    model = rg.load(path, **given)
    embedding, labels = model.embed(values), model.predict(values)
    stream = model.stream()
    ticks = in_turns({"tick": lambda n: stream.push(values[n % len(values)])}, count, count)["tick"]
    per_window = []
    for size in BATCHES:
        batched = rg.load(path, batch_size=size, **given)
        per_window.append(per_row(partial(batched.outputs, values), len(values)))
    rows = model.contract.window_rows
    instruments = min(INSTRUMENTS, len(values) - rows - 4)
    bank, ids = model.bank(instruments), np.arange(instruments)
    for number in range(rows):
        bank.push(ids, values[number : number + instruments])
    pushed = per_row(partial(bank.push, ids, values[:instruments]), instruments)
    return Row(
        name,
        *np.percentile(1e6 * ticks[count // 10 :], [50, 99]),
        tuple(per_window),
        pushed,
        expected.difference(embedding),
        float(np.mean(labels == expected.labels)),
        taken_since(before),
    )


def of_bare_run(
    path: Path, values: np.ndarray, name: str, *, expected: Expected, count: int, provider: str
) -> Row:
    """Measure ``session.run``, which copies its inputs and outputs, without this package."""
    before = used_memory()
    session = onnxruntime.InferenceSession(str(path), providers=[provider])
    windows = np.ascontiguousarray(rolling_windows(values, session.get_inputs()[0].shape[1]))

    def run(size: int) -> list[np.ndarray]:
        parts = [windows[first : first + size] for first in range(0, len(windows), size)]
        found = [session.run(["embedding", "regime"], {"window": part}) for part in parts]
        return [np.concatenate(arrays) for arrays in zip(*found, strict=True)]

    embedding, nearest = run(BATCHES[0])
    ticks = in_turns({"tick": lambda n: session.run(None, {"window": windows[n % 99][None]})},
                     count, count)["tick"]  # fmt: skip
    return Row(
        name,
        *np.percentile(1e6 * ticks[count // 10 :], [50, 99]),
        tuple(per_row(partial(run, size), len(windows)) for size in BATCHES),
        None,
        expected.difference(embedding),
        float(np.mean(nearest == expected.nearest)),
        taken_since(before),
    )


def per_row(action: Callable[[], object], count: int) -> float:
    """Return the median of five runs, after one, in microseconds a row."""
    action()
    times = []
    for _ in range(5):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return 1e6 * float(np.median(times)) / count


def measure(
    path: Path, values: np.ndarray, device: str, provider: str, count: int
) -> Iterator[Row]:
    """Yield the rows: the CPU, then the device in three ways."""
    reference = rg.load(path, device="cpu")
    outputs = reference.outputs(values)
    expected = Expected(outputs["embedding"], reference.predict(values), outputs["regime"])
    ways: dict[str, Callable[..., Row]] = {
        "CPU": partial(of_model, device="cpu"),
        f"{device}, `session.run`, nothing bound": partial(of_bare_run, provider=provider),
        f"{device}, bound": partial(of_model, device=device),
        f"{device}, bound, CUDA graphs": partial(of_model, device=device, cuda_graphs=True),
    }
    for name, way in ways.items():
        yield way(path, values, name, expected=expected, count=count)
        gc.collect()  # so that the next one starts with an empty device


def main(arguments: list[str] | None = None) -> int:
    """Print the table; return 1 if a row is not what the CPU gives, 2 without a device."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    parser.add_argument("--model", type=Path, default=MODEL)
    options = parser.parse_args(arguments)
    trial = try_provider(CUDA)
    if not trial.started:
        print(
            f"onnxruntime finds no GPU here ({trial.reason}); nothing was measured.",
            file=sys.stderr,
        )
        return 2
    preload_cuda(onnxruntime)
    values = market_sample("sp500").to_numpy(np.float32)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {describe_machine()}.\n")
    batches = " | ".join(f"a window, batches of {size}" for size in BATCHES)
    print(f"| microseconds | a tick, p50 | p99 | {batches} | a row of a bank | MiB of the device | "
          "embedding | labels equal |\n|---|---|---|---|---|---|---|---|---|")  # fmt: skip
    right = True
    for row in measure(options.model, values, "cuda", CUDA, 5000):
        print(row.line(), flush=True)
        right &= row.is_right()
    return int(not right)


if __name__ == "__main__":
    sys.exit(main())
