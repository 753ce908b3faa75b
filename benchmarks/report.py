"""Report figures: ``python -m benchmarks.report [--repeats N]``.

Times ``regimetry report`` in a process of its own, from the model file and a CSV file to the page,
with the shipped model: 5000 bars of the S&P 500, and 50 000 made-up bars. Where Node, Chromium and
``examples/node_modules`` are there, it opens each page as tests/portability/report.mjs does.
"""

import argparse
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.machine import describe_machine
from regimetry.series.samples import market_sample

REPOSITORY = Path(__file__).parents[1]
MODEL = REPOSITORY / "models" / "sp500.onnx"
DRIVER = REPOSITORY / "tests" / "portability" / "report.mjs"
MEGABYTE = 2**20


def made_up(n_rows: int) -> pd.DataFrame:
    """Return bars of half an hour whose volatility changes every few hundred bars."""
    generator = np.random.default_rng(0)
    state = np.cumsum(generator.random(n_rows) < 0.004) % 3
    deviation = np.array([0.005, 0.01, 0.022])[state]
    close = 1000 * np.exp(np.cumsum(deviation * generator.standard_normal(n_rows)))
    spread = deviation * np.abs(1.5 + 0.4 * generator.standard_normal(n_rows)) + 1e-4
    times = pd.date_range("2010-01-01", periods=n_rows, freq="30min", name="time")
    return pd.DataFrame({"close": close, "range": spread}, index=times)


def time_report(data: Path, page: Path, repeats: int) -> tuple[float, float]:
    """Return the median seconds of the command, start of Python included, and of its CPUs."""
    command = [sys.executable, "-I", "-m", "regimetry", "report", str(MODEL), str(data)]
    command += ["-o", str(page)]
    seconds, computed = [], []
    for _ in range(repeats):
        start, before = time.perf_counter(), children()
        subprocess.run(command, check=True, capture_output=True)
        seconds.append(time.perf_counter() - start)
        computed.append(children() - before)
    return statistics.median(seconds), statistics.median(computed)


def children() -> float:
    """Return the CPU seconds of the processes that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def look(page: Path, folder: Path) -> dict[str, Any] | None:
    """Open a page in Chromium; what the driver saw, or None without a browser."""
    node, chromium = shutil.which("node"), shutil.which("chromium")
    modules = REPOSITORY / "examples" / "node_modules" / "playwright-core"
    if node is None or chromium is None or not modules.is_dir():
        return None
    command = [node, str(DRIVER), chromium, str(page), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="runs per row (%(default)s)")
    options = parser.parse_args()
    print(f"Measured on {describe_machine()}, plotly {metadata.version('plotly')}.\n")
    print(
        "| bars | seconds (target for 5000: < 10) | CPU seconds | page, MiB (target: < 6) "
        "| browser: until drawn, s | a zoom, s | a zoom, CPU s |"
    )
    print("|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for table in (market_sample("sp500").iloc[-5000:], made_up(50_000)):
            data, page = folder / "data.csv", folder / "report.html"
            table.to_csv(data)
            seconds, computed = time_report(data, page, options.repeats)
            seen = look(page, folder)
            shown = ["", "", ""]
            if seen is not None:
                zoom = statistics.median(seen["relayout_ms"])
                figures = (seen["ready_ms"], zoom, seen["relayout_cpu_ms"])
                shown = [f"{figure / 1000:.2f}" for figure in figures]
            size = page.stat().st_size / MEGABYTE
            cells = [f"{len(table):,}", f"{seconds:.1f}", f"{computed:.1f}", f"{size:.1f}", *shown]
            print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
