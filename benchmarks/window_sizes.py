"""Which window size "auto" chooses, and what each size would have given.

Run: python -m benchmarks.window_sizes [--seeds 0,1,2] [--kinds s1,s3] [--recordings synthetic_0]
Of each series a Markdown row: the agreement of windows with the next ones by size, the size chosen,
and the adjusted Rand index with the true states of labels with hindsight by windows of that size,
K given. Windows begin every fifth of their size; they alone tell the regimes. Untrained encoder.
Recordings lie in the folder that ``REGIMETRY_DATA`` names.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from benchmarks.machine import describe_machine
from benchmarks.regimes.recordings import label_by_size, load_recording
from regimetry.regimes.choice.window import SIZES

KINDS = "s1,s2,s3,s4,s5,s6"


def row(name: str, values: NDArray[np.float64], states: NDArray[np.int64], seed: int) -> str:
    """Judge the sizes on one series."""
    n_regimes = len(np.unique(states))
    table, labels = label_by_size(values, n_regimes, seed)
    (chosen,) = [entry.window_size for entry in table if entry.chosen]
    found = {size: adjusted_rand_score(states, given) for size, given in labels.items()}
    cells = [
        "" if entry.agreement is None else f"{entry.agreement:.2f} / {found[entry.window_size]:.2f}"
        for entry in table
    ]
    return f"| {name} | {' | '.join(cells)} | {chosen} |"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--kinds", default=KINDS, help="simulators, or none")
    parser.add_argument("--recordings", default="", help="names, such as synthetic_0,actrectut_1")
    options = parser.parse_args()
    sizes = " | ".join(f"{size}" for size in SIZES)
    print(f"| series | {sizes} | chosen |\n|---{'|---' * len(SIZES)}|---|", flush=True)
    for kind in filter(None, options.kinds.removeprefix("none").split(",")):
        for seed in map(int, options.seeds.split(",")):
            series = rg.simulate(kind, seed=seed)
            print(row(f"{kind} {seed}", series.values, series.states, seed), flush=True)
    for name in filter(None, options.recordings.split(",")):
        print(row(name, *load_recording(name), 0), flush=True)
    print(f"\nagreement / adjusted Rand index. {describe_machine()}")


if __name__ == "__main__":
    main()
