"""What it costs to go on with a model, and what moves: ``python -m benchmarks.refit``.

Each series is fitted on its first rows, about nine in ten. Then all of it is fitted anew, with the
names aligned, and the model goes on with all of it; medians of interleaved repeats in one process,
in CPU seconds, since other processes share the machine.
"""

from __future__ import annotations

import statistics
import time
import warnings
from typing import Any

import numpy as np

import regimetry as rg
from benchmarks.machine import describe_machine
from regimetry.analysis import adjusted_rand
from regimetry.analysis.agreement import contingency
from regimetry.series.samples import market_sample

REPEATS = 5
GIVEN: dict[str, dict[str, Any]] = {
    "S&P 500, all chosen": {},
    "S&P 500, window 20, 3 regimes": {"window_size": 20, "n_regimes": 3},
    "simulated S2, all chosen": {},
    "simulated S2, 10,000 bars, all chosen": {},
    "simulated S2, 20,000 bars, all chosen": {},
}


def series_of(name: str) -> np.ndarray:
    """Return the rows (T, F) of a line."""
    if name.startswith("S&P"):
        return market_sample("sp500")[["close", "range"]].to_numpy(np.float64)
    long = {"10,000": 10_000, "20,000": 20_000}
    n_rows = next((rows for text, rows in long.items() if text in name), 2500)
    return rg.simulate("s2", n_rows=n_rows, seed=60).values


def agreement_of(a: np.ndarray, b: np.ndarray) -> float:
    """Return the adjusted Rand index of two labellings, missing ones left out."""
    both = (a >= 0) & (b >= 0)
    return adjusted_rand(contingency(a[both], b[both], a.max() + 1, b.max() + 1))


def timed(make: Any) -> tuple[float, Any]:
    """Return the CPU seconds of a call, and what it gives."""
    start = time.process_time()
    found = make()
    return time.process_time() - start, found


def line_of(name: str) -> str:
    """Return a row of the table."""
    values, given = series_of(name), GIVEN[name]
    first = 4500 if name.startswith("S&P") else len(values) * 9 // 10
    old = rg.RegimeDetector(random_state=0, **given).fit(values[:first]).model_
    anew, goes_on = [], []
    for _ in range(REPEATS):
        fresh = rg.RegimeDetector(random_state=0, align_to=old, **given)
        seconds, fitted = timed(lambda fresh=fresh: fresh.fit(values))
        anew.append(seconds)
        again = rg.RegimeDetector(random_state=0, **given)
        seconds, updated = timed(lambda again=again: again.update(values, of=old))
        goes_on.append(seconds)
    long, short = statistics.median(anew), statistics.median(goes_on)
    before = old.predict(values)
    cells = [
        f"{long:.2f}",
        f"{short:.2f}",
        f"{short / long:.0%}",
        f"{agreement_of(before, fitted.predict(values)):.2f}",
        f"{agreement_of(before, updated.predict(values)):.2f}",
        f"{updated.moved_.changed:.1%}",
    ]
    return f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    warnings.simplefilter("ignore")
    print(describe_machine())
    print(
        "| series | fit anew, CPU s | goes on, CPU s | of that | agrees with before: fit anew | "
        "goes on | bars in another regime |\n|---|---:|---:|---:|---:|---:|---:|"
    )
    line_of("simulated S2, all chosen")  # what is imported and opened for the first time
    for name in GIVEN:
        print(line_of(name), flush=True)


if __name__ == "__main__":
    main()
