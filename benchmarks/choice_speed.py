"""What choosing the window and the number of regimes costs: ``python -m benchmarks.choice_speed``.

Fits with and without a choice, interleaved, each in a process of its own whose peak memory is read;
medians of three. Imports are not counted. One thread.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys

from benchmarks.fit_speed import ONE_THREAD
from benchmarks.machine import describe_machine

REPEATS = 3

ROWS = {
    "40 000 rows of one channel": "rg.simulate('s1', n_rows=40_000, seed=0).values[:, :1]",
    "5031 bars of two columns": "market_rows()",
}

FITS = {
    "both chosen": ("auto", "auto"),
    "W 20, K chosen": (20, "auto"),
    "W 20, K 3": (20, 3),
    "W 160, K 3": (160, 3),
}

SCRIPT = """
import json, time, warnings
import numpy as np
import regimetry as rg
from benchmarks.machine import peak_bytes
from regimetry.series.samples import market_sample

def market_rows():
    table = market_sample("sp500")
    return np.column_stack([np.log(table["close"]).diff(), table["range"]])[1:]

def fit(rows, size, count):
    rg.RegimeDetector(window_size=size, n_regimes=count, random_state=0).fit(rows)

warnings.simplefilter("ignore")
rows = {rows}
fit(rows[:600], 10, 2)
start = time.perf_counter()
fit(rows, *{asked})
print(json.dumps([time.perf_counter() - start, peak_bytes()]))
"""


def measured(rows: str, asked: tuple[object, object]) -> tuple[float, float]:
    """Return seconds and peak memory in MiB of a fit in a process of its own."""
    script = SCRIPT.format(rows=ROWS[rows], asked=asked)
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, **ONE_THREAD},
    )
    seconds, peak = json.loads(done.stdout)
    return seconds, peak / 2**20


def main() -> None:
    print(f"Measured on {describe_machine(('scikit-learn',))}.\n")
    print("| rows | fit | median, s | range, s | peak, MiB |\n|---|---|---|---|---|")
    for rows in ROWS:
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in FITS}
        for _ in range(REPEATS):
            for name, asked in FITS.items():
                found[name].append(measured(rows, asked))
        for name, each in found.items():
            seconds, peaks = zip(*each, strict=True)
            middle = f"{statistics.median(seconds):.2f}"
            span = f"{min(seconds):.2f} to {max(seconds):.2f}"
            print(f"| {rows} | {name} | {middle} | {span} | {max(peaks):.0f} |", flush=True)


if __name__ == "__main__":
    main()
