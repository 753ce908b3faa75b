"""The number of regimes that "auto" finds, on simulators and on series that have one regime only.

Run: python -m benchmarks.counts [--seeds 0,1,2,3,4] [--kinds s1,noise] [--table]
Prints a Markdown table: the number found for each seed, by the eigengap alone and by the rule
of regimetry.regimes.choice.count, and how often it is the right one. ``--table`` prints the
candidates of every series as well. The encoder is untrained.
"""

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

import regimetry as rg
from benchmarks.machine import describe_machine
from regimetry.fit.learn import learn, measured_rows
from regimetry.fit.options import FitOptions
from regimetry.fit.source import panel_source
from regimetry.regimes.choice.candidates import Candidate

STATES = {"s1": 2, "s2": 3, "s3": 3, "s4": 3, "s5": 4, "s6": 2, "n1": 3, "n2": 3}
AUTOREGRESSIVE = {"noise": 0.0, "ar_0.6": 0.6, "ar_0.9": 0.9, "ar_0.97": 0.97}
NULL = (*AUTOREGRESSIVE, "garch")
WINDOW = 10
ROWS = 2500
_WARM_UP = 500


def null_series(kind: str, seed: int) -> np.ndarray:
    """Return three independent channels of one regime, (2500, 3).

    AR(1) of unit variance, or GARCH(1, 1) of coefficients .10 and .85.
    """
    generator = np.random.default_rng(1000 + seed)
    shocks = generator.standard_normal((ROWS + _WARM_UP, 3))
    values = np.zeros_like(shocks)
    if kind == "garch":
        variance = np.ones(3)
        for row in range(1, len(shocks)):
            variance = 0.05 + 0.10 * values[row - 1] ** 2 + 0.85 * variance
            values[row] = np.sqrt(variance) * shocks[row]
    else:
        coefficient = AUTOREGRESSIVE[kind]
        for row in range(1, len(shocks)):
            noise = np.sqrt(1 - coefficient**2) * shocks[row]
            values[row] = coefficient * values[row - 1] + noise
    return values[_WARM_UP:]


def candidates(kind: str, seed: int) -> tuple[Candidate, ...]:
    """Return the table of one series."""
    values = null_series(kind, seed) if kind in NULL else rg.simulate(kind, seed=seed).values
    options = FitOptions(window_size=WINDOW, seed=seed)
    return learn(measured_rows(panel_source(values), options), options).head.candidates


def found(table: tuple[Candidate, ...]) -> tuple[int, int]:
    """Return K behind the largest gap among 1 to 5, and K by the rule."""
    gap = max(table[:5], key=lambda candidate: candidate.gap).n_regimes
    return gap, next(candidate.n_regimes for candidate in table if candidate.chosen)


def show(table: tuple[Candidate, ...]) -> None:
    """Print the candidates of one series."""
    for entry in table:
        stability = "" if entry.stability is None else f"{entry.stability:.2f}"
        print(
            f"    {entry.n_regimes} gap {entry.gap:.3f} stability {stability:>4} "
            f"dwell {entry.shortest_dwell:g} {entry.refused or 'chosen'}"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="0,1,2,3,4")
    parser.add_argument("--kinds", default=",".join([*STATES, *NULL]))
    parser.add_argument("--table", action="store_true", help="the candidates of every series too")
    options = parser.parse_args()
    seeds = [int(seed) for seed in options.seeds.split(",")]
    lines = [
        "| series | true K | eigengap alone | right | rule | right |",
        "|---|---|---|---|---|---|",
    ]
    begun = time.perf_counter()
    for kind in options.kinds.split(","):
        true, results = STATES.get(kind, 1), []
        for seed in seeds:
            table = candidates(kind, seed)
            results.append(found(table))
            if options.table:
                print(f"{kind}, seed {seed}: {results[-1][1]} of {true}")
                show(table)
        cells = [
            f"{' '.join(map(str, counts))} | {sum(count == true for count in counts)}/{len(seeds)}"
            for counts in zip(*results, strict=True)
        ]
        lines.append(f"| {kind} | {true} | {cells[0]} | {cells[1]} |")
    print("\n".join(lines))
    print(f"\nseeds {options.seeds}, {time.perf_counter() - begun:.0f} s; {describe_machine()}")


if __name__ == "__main__":
    main()
