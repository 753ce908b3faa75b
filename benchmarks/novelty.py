"""Whether bars of a state that training has never seen are flagged as novel.

Run: python -m benchmarks.novelty [--seeds 30 31 32] [--kinds s2 s3 s4 s5]
One state after the other is cut out of the first half of a series, and the second half, which holds
it, is judged. Prints a Markdown table. The encoder plays no part in novelty and stays untrained.
"""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray

import regimetry as rg
from benchmarks.machine import describe_machine
from regimetry.fit.rows import cut_windows
from regimetry.regimes.novelty import FALSE_ALARM_RATE, fit_novelty
from regimetry.runtime.recursion import running_mean
from regimetry.series.units import fit_preprocessing

SEEDS = (30, 31, 32, 33, 34)
STATES = {"s2": 3, "s3": 3, "s4": 3, "s5": 4}
WINDOW = 10
MEMORY = 10  # bars of the running mean: as the window
ROWS = 5000


def scores(
    kind: str, withheld: int, seed: int, *, window: int = WINDOW, memory: int = MEMORY
) -> dict[str, float]:
    """Fit without a state, judge a series with it.

    Returns
    -------
    dict of str to float
        ``detected``: share of the state's bars above the threshold that gives 5 % false alarms on
        this very series; ``flagged`` and ``alarms``: shares of the state's bars and of known bars
        above the threshold that training set. Known bars have no bar of the state in their window.
    """
    series = rg.simulate(kind, n_rows=ROWS, seed=seed)
    past, now = slice(0, ROWS // 2), slice(ROWS // 2, ROWS)
    training = series.values[past][series.states[past] != withheld]
    preprocessing = fit_preprocessing(training, series.names)
    fitted, threshold = fit_novelty(cut_windows(preprocessing, training, window), seed=seed)
    windows = cut_windows(preprocessing, series.values[now], window)
    novelty = fitted.transform(windows).astype(np.float32)
    return judge(running_mean(novelty, 1 / memory), series.states[now], withheld, threshold)


def judge(
    mean: NDArray[np.float64], states: NDArray[np.int64], withheld: int, threshold: float
) -> dict[str, float]:
    """Compare the running mean (N,), which stands at the last N of the bars, with the states."""
    rows = len(states) - len(mean) + 1
    known = np.lib.stride_tricks.sliding_window_view(states != withheld, rows).all(axis=1)
    novel = states[rows - 1 :] == withheld
    return {
        "detected": float(np.mean(mean[novel] > np.quantile(mean[known], 1 - FALSE_ALARM_RATE))),
        "flagged": float(np.mean(mean[novel] > threshold)),
        "alarms": float(np.mean(mean[known] > threshold)),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    parser.add_argument("--kinds", nargs="+", choices=list(STATES), default=list(STATES))
    parser.add_argument("--window", type=int, default=WINDOW, help="bars")
    parser.add_argument(
        "--memory", type=int, default=MEMORY, help="bars; the threshold stays that of the window"
    )
    options = parser.parse_args()
    header = ["family", "state", "detected at 5 % false alarms", "flagged", "false alarms"]
    print("| " + " | ".join(header) + " |\n" + "|---" * len(header) + "|")
    for kind in options.kinds:
        for withheld in range(STATES[kind]):
            found = [
                scores(kind, withheld, seed, window=options.window, memory=options.memory)
                for seed in options.seeds
            ]
            cells = [np.mean([entry[name] for entry in found]) for name in found[0]]
            print(
                f"| {kind.upper()} | {withheld} | " + " | ".join(f"{c:.0%}" for c in cells) + " |"
            )
    print(f"\nMean of seeds {', '.join(map(str, options.seeds))}. {describe_machine()}")


if __name__ == "__main__":
    main()
