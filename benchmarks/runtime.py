"""The production runtime's figures: ``python -m benchmarks.runtime``.

Fits two models in a process of its own, one with the default encoder and a tiny one, then measures
on one core, each figure against its reference in turns within one run, and prints a table.
``--environment`` also makes a fresh environment with ``.[cpu]``, which needs a package index.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import regimetry as rg
from benchmarks.machine import describe_machine
from benchmarks.main_job import import_time
from benchmarks.runtime_timing import INSTRUMENTS, batches, on_two_cpus, ticks

LONG_RUN = 1_000_000

FIT = """
import sys
from pathlib import Path
from benchmarks.runtime_models import fit_models
fit_models(Path(sys.argv[1]))
"""

COLD = """
import sys, numpy
import regimetry as rg
rg.load(sys.argv[1]).predict(numpy.load(sys.argv[2])[:100])
"""

MEMORY = """
import sys
import numpy, psutil
import regimetry as rg
model = rg.load(sys.argv[1], threads=1)
values = numpy.load(sys.argv[2])
stream, batch = model.stream(), values[:200]
def tick(number): stream.push(values[number % len(values)])
def predict(number): model.predict(batch)
action, count = {"ticks": tick, "batches": predict}[sys.argv[3]], int(sys.argv[4])
resident = psutil.Process().memory_info
for number in range(count // 20):
    action(number)
before = resident().rss
highest = before
for number in range(count):
    action(number)
    if number % (count // 50) == 0:
        highest = max(highest, resident().rss)
print(max(highest, resident().rss) - before)
"""


def python(code: str, *arguments: object) -> str:
    """Run code in an interpreter of its own, from the checkout's root; return what it prints."""
    result = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode:
        raise SystemExit(result.stderr)
    return result.stdout


def cold_start(model: Path, values: Path) -> float:
    """Return the median seconds of 11 whole processes that load and predict."""
    seconds = []
    for _ in range(11):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-I", "-c", COLD, model, values], check=True)
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def environment(folder: Path) -> tuple[list[str], float]:
    """Install ``.[cpu]`` afresh; return what the environment then holds, and MiB of the wheel."""
    checkout = Path(__file__).parents[1]
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    pip = [folder / "venv/bin/python", "-m", "pip", "--disable-pip-version-check"]
    wheels = folder / "wheels"
    subprocess.run([*pip, "wheel", "--quiet", "--no-deps", "-w", wheels, checkout], check=True)
    (wheel,) = wheels.glob("*.whl")
    subprocess.run([*pip, "install", "--quiet", f"{wheel}[cpu]"], check=True)
    listed = subprocess.run([*pip, "list", "--format", "json"], check=True, capture_output=True)
    names = [entry["name"] for entry in json.loads(listed.stdout)]
    kept = [name for name in names if name not in ("pip", "setuptools")]
    return kept, wheel.stat().st_size / 2**20


def percentiles(seconds: np.ndarray) -> str:
    """Return p50, p99 and p99.9 in microseconds, as cells of a table."""
    return " | ".join(f"{1e6 * value:.0f}" for value in np.percentile(seconds, [50, 99, 99.9]))


def measure(folder: Path, *, with_environment: bool) -> None:
    """Measure and print."""
    model_path, values_path = folder / "model.onnx", folder / "values.npy"
    python(FIT, folder)
    values = np.load(values_path)
    machine = describe_machine()
    two = on_two_cpus(model_path, values) if len(os.sched_getaffinity(0)) > 1 else None
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})  # children inherit it
    cold = cold_start(model_path, values_path)
    bare_import, _ = import_time("")
    model = rg.load(model_path, threads=1, device="cpu")
    tick, batch = ticks(model, folder, values), batches(model, model_path, values)
    grown = {
        what: int(python(MEMORY, folder / "tiny.onnx", folder / "tiny.npy", what, count)) / 2**20
        for what, count in (("ticks", LONG_RUN), ("batches", 10_000))
    }
    p50, p99 = np.percentile(tick["push"], [50, 99])
    of_run, of_plain = p50 / np.median(tick["bare"]), np.median(tick["plain"]) / p50

    contract = model.contract
    print(
        f"Measured on {machine}; on one CPU. Window {contract.window_size}, {contract.n_features} "
        f"columns, embedding {contract.embedding_size}, {contract.n_regimes} regimes.\n"
    )
    print("| microseconds per tick | p50 | p99 | p99.9 |\n|---|---|---|---|")
    print(f"| `stream.push`, row in to regime out | {percentiles(tick['push'])} |")
    print(f"| bare `session.run`, same graph | {percentiles(tick['bare'])} |")
    print(f"| numpy shift buffer, plain tf2onnx graph | {percentiles(tick['plain'])} |")
    print("\n| figure | target | measured |\n|---|---|---|")
    print(f"| a tick, of the bare `session.run` (p50) | <= 1.25 | {of_run:.2f} |")
    print(f"| a tick, faster than shift buffer and plain graph (p50) | >= 4.5 | {of_plain:.2f} |")
    print(f"| a tick, p99 of p50 | <= 2 | {p99 / p50:.2f} |")
    print(f"| resident memory over {LONG_RUN:,} ticks | <= 2 MiB | {grown['ticks']:.2f} MiB |")
    print(f"| resident memory over 10,000 batches | <= 2 MiB | {grown['batches']:.2f} MiB |")
    extra = batch["bank"] / batch["bare"] - 1
    print(
        f"| {INSTRUMENTS} instruments per tick: time outside onnxruntime | <= 10 % | {extra:.1%} |"
    )
    print(f"| the same, whole tick | | {1e3 * batch['bank']:.0f} ms |")
    share = batch["bare"] / batch["outputs"]
    print(f"| `outputs`, throughput of the bare `session.run` | >= 90 % | {share:.1%} |")
    print(f"| gathering the windows, of a batch's time | | {batch['gather'] / batch['bare']:.3%} |")
    print(f"| cold start: load and predict, whole process | < 0.6 s | {cold:.2f} s |")
    print(f"| `import regimetry` on top of numpy | <= 30 ms | {bare_import:.1f} ms |")
    if with_environment:
        names, size = environment(folder)
        print(f"| packages in a fresh `.[cpu]` | no more than needed | {', '.join(names)} |")
        print(f"| size of the wheel | < 2 MiB | {size:.2f} MiB |")
    if two:
        print(f"| two CPUs, batches side by side, of one CPU | | {two['side by side']:.2f} |")
        print(f"| two CPUs, onnxruntime's own threads, of one CPU | | {two['one run']:.2f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--environment", action="store_true", help="also install '.[cpu]' afresh")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name), with_environment=options.environment)


if __name__ == "__main__":
    main()
