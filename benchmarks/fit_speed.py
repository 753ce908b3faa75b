"""What a fit costs beside its neighbours: ``python -m benchmarks.fit_speed [--sizes]``.

The S&P 500 sample, 5031 bars, one thread, medians of interleaved repeats: whole processes, from the
start of Python to the end, and refits on 2520 bars in one process. ``--sizes`` installs two sets of
extras in environments of their own and prints how large they are.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.machine import describe_machine

ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
REPEATS = 5
MOST_REGIMES = 8
REFIT_BARS, REFIT_STEP = 2520, 43
"""58 refits of ten years reach over the sample, 43 bars from one to the next."""

READ = """
import logging, sys
import numpy as np
import pandas as pd
logging.disable(logging.CRITICAL)
table = pd.read_csv(sys.argv[1], index_col="date", parse_dates=True)
values = np.column_stack([np.log(table["close"]).diff(), table["range"]])[1:]
values = (values - values.mean(axis=0)) / values.std(axis=0)
"""
HMM = """
from benchmarks.rivals import hmm
from benchmarks.fit_speed import hmm_chosen
hmm_chosen(values) if sys.argv[2] == "auto" else hmm.best_start(values, 3, 0)
"""
JUMP = """
from jumpmodels.jump import JumpModel
for count in range(2, 9) if sys.argv[2] == "auto" else [3]:
    JumpModel(count, jump_penalty=30.0, random_state=0, n_init=10).fit(values)
"""


def hmm_chosen(values: np.ndarray) -> object:
    """Fit hidden Markov models of 1 to 8 states, and take the least information criterion."""
    from benchmarks.rivals.hmm import best_start

    models = [best_start(values, count, 0) for count in range(1, MOST_REGIMES + 1)]
    return min(models, key=lambda model: model.bic(values))


def run(command: list[str]) -> tuple[float, float]:
    """Run a command; return its seconds and its peak memory in MiB."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env={**os.environ, **ONE_THREAD})
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[:3]} failed with status {status}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def print_processes(folder: Path) -> None:
    """Print seconds and memory of whole processes, K given and chosen."""
    data, model = str(folder / "spx.csv"), str(folder / "spx.onnx")
    ours = [sys.executable, "-m", "regimetry"]
    run([*ours, "sample", "sp500", "-o", data])
    fit = [*ours, "fit", data, "-o", model, "--window-size", "20", "--n-regimes"]

    def rival(script: str, count: str) -> list[str]:
        return [sys.executable, "-c", READ + script, data, count]

    for count in ("3", "auto"):
        commands = {
            "hmmlearn, full covariance, 5 starts": rival(HMM, count),
            "jumpmodels, 10 starts": rival(JUMP, count),
            "regimetry fit": [*fit, count],
        }
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(REPEATS):
            for name, command in commands.items():
                found[name].append(run(command))
        for name, measured in found.items():
            seconds = [one for one, _ in measured]
            peak = statistics.median(memory for _, memory in measured)
            print(
                f"| {name} | {count} | {statistics.median(seconds):.2f} | {min(seconds):.2f} to "
                f"{max(seconds):.2f} | {peak:.0f} |",
                flush=True,
            )


def print_refits() -> None:
    """Print seconds of a refit in a running process, K chosen by each."""
    import regimetry as rg
    from regimetry.series.samples import market_sample

    table = market_sample("sp500")
    rows = np.column_stack([np.log(table["close"]).diff(), table["range"]])[1:]

    def ours(first: int) -> None:
        rg.RegimeDetector(window_size=20, random_state=0).fit(
            table.iloc[first : first + REFIT_BARS]
        )

    def theirs(first: int) -> None:
        part = rows[first : first + REFIT_BARS]
        hmm_chosen((part - part.mean(axis=0)) / part.std(axis=0))

    candidates: dict[str, Callable[[int], None]] = {"regimetry": ours, "hmmlearn": theirs}
    times: dict[str, list[float]] = {name: [] for name in candidates}
    ours(0)
    for repeat in range(REPEATS):
        for name, fit in candidates.items():
            start = time.perf_counter()
            fit(REFIT_STEP * 14 * repeat)
            times[name].append(time.perf_counter() - start)
    start = time.perf_counter()
    for refit in range(58):
        ours(REFIT_STEP * refit)
    every = time.perf_counter() - start
    ours_median, theirs_median = (statistics.median(times[name]) for name in candidates)
    print(
        f"\nA refit on {REFIT_BARS} bars, K from 1 to {MOST_REGIMES}: regimetry {ours_median:.2f} "
        f"s, hmmlearn {theirs_median:.2f} s ({theirs_median / ours_median:.1f} times as long); "
        f"58 refits of regimetry {every:.1f} s."
    )


def print_sizes(folder: Path) -> None:
    """Print the installed size of a fit and of training."""
    root = Path(__file__).parents[1]
    for extras in ("cpu,fit,frames", "cpu,train"):
        environment = folder / extras.replace(",", "-")
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
        pip = [str(environment / "bin" / "pip"), "install", "--quiet", f"{root}[{extras}]"]
        subprocess.run(pip, check=True)
        size = sum(p.stat().st_size for p in environment.rglob("*") if p.is_file())
        print(f"`.[{extras}]`: {size / 2**20:.0f} MiB", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", action="store_true", help="print installed sizes as well")
    options = parser.parse_args()
    os.environ.update(ONE_THREAD)
    print(f"Measured on {describe_machine(('hmmlearn', 'jumpmodels', 'scikit-learn'))}.\n")
    print("| whole process | K | median, s | range, s | peak, MiB |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        print_processes(Path(name))
        print_refits()
        if options.sizes:
            print()
            print_sizes(Path(name))


if __name__ == "__main__":
    main()
