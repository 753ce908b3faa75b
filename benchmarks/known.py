"""States of some rows: ``python -m benchmarks.known [--set tssb] [--window 40]``.

Fits each series twice, with the true number of regimes: as usual, and with the state known of one
stretch of each state. Prints the adjusted Rand index over the rows whose state was not known.
"""

import argparse
import warnings

import numpy as np
from sklearn.metrics import adjusted_rand_score

from benchmarks.machine import describe_machine
from benchmarks.outside.sets import SETS, series_of
from regimetry import RegimeDetector


def known_rows(states: np.ndarray, share: float, generator: np.random.Generator) -> np.ndarray:
    """Return the states (T,) of one stretch of rows of each, -1 for all others."""
    known = np.full(len(states), -1)
    kinds = np.unique(states)
    count = max(1, round(share * len(states) / len(kinds)))
    for kind in kinds:
        rows = np.flatnonzero(states == kind)
        first = int(generator.integers(max(1, len(rows) - count)))
        known[rows[first : first + count]] = kind
    return known


def scores(values: np.ndarray, states: np.ndarray, window_size: int, share: float) -> list[float]:
    """Return the index of causal labels without and with states, then of whole-series labels."""
    known = known_rows(states, share, np.random.default_rng(0))
    n_regimes = len(np.unique(states))
    found = []
    for y in (None, known):
        detector = RegimeDetector(n_regimes=n_regimes, window_size=window_size, random_state=0)
        detector.fit(values, y)
        found.append((detector.labels_, np.asarray(detector.smooth(values))))
    rows = (known < 0) & (found[0][0] >= 0)
    return [
        float(adjusted_rand_score(states[rows], one[rows]))
        for pair in zip(*found, strict=True)
        for one in pair
    ]


def main() -> None:
    """Print a line a series, and the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=SETS, default="tssb", help="of series (%(default)s)")
    parser.add_argument("--window", type=int, default=40, help="rows of one (%(default)s)")
    parser.add_argument("--share", type=float, default=0.05, help="of rows known (%(default)s)")
    parser.add_argument("--most", type=int, default=8000, help="rows of a series (%(default)s)")
    options = parser.parse_args()
    print(describe_machine())
    print("\n| series | causal | with states | whole series | with states |\n|---|---|---|---|---|")
    all_scores = []
    for series in series_of(options.set, (60, 61)):
        values, states = series.load()
        if len(values) > options.most or len(np.unique(states)) < 2:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            all_scores.append(scores(values, states, options.window, options.share))
        _print(f"{series.name}", all_scores[-1])
    _print(f"mean of {len(all_scores)}", np.mean(all_scores, axis=0).tolist())


def _print(name: str, row: list[float]) -> None:
    print(f"| {name} | " + " | ".join(f"{score:.2f}" for score in row) + " |", flush=True)


if __name__ == "__main__":
    main()
