"""Features of bars against simpler columns, on bars with known regimes.

Run: python -m benchmarks.features
Prints the adjusted Rand index of the causal labels for each choice of columns, the mean of three
seeds, as a Markdown table. The encoder is untrained, so that only the columns differ.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from benchmarks.machine import describe_machine
from regimetry.series.features import OhlcvFeatures

SEEDS = range(3)
ROWS = 3000
STEPS = 16
VOLATILITY = np.array([0.006, 0.011, 0.024])
DRIFT = np.array([0.0006, 0.0001, -0.0012])
STAY = 0.992


def simulate_bars(seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """Return bars of a three-state Markov chain, each of 16 heavy-tailed steps, and the states."""
    generator = np.random.default_rng(seed)
    transition = np.full((3, 3), (1 - STAY) / 2)
    np.fill_diagonal(transition, STAY)
    states = np.zeros(ROWS, dtype=int)
    for t in range(1, ROWS):
        states[t] = generator.choice(3, p=transition[states[t - 1]])
    steps = generator.standard_t(5, (ROWS, STEPS)) * np.sqrt(3 / 5)
    steps *= (VOLATILITY[states] / np.sqrt(STEPS))[:, None]
    steps += (DRIFT[states] / STEPS)[:, None]
    path = 100 * np.exp(np.cumsum(steps.ravel())).reshape(ROWS, STEPS)
    opening = np.r_[100, path[:-1, -1]]
    volume = np.exp(15 + 0.3 * (states == 2) + 0.3 * generator.standard_normal(ROWS))
    bars = pd.DataFrame(
        {
            "open": opening,
            "high": np.maximum(path.max(axis=1), opening),
            "low": np.minimum(path.min(axis=1), opening),
            "close": path[:, -1],
            "volume": volume,
        }
    )
    return bars, states


def agreement(columns: pd.DataFrame, states: np.ndarray, difference: str) -> float:
    """Return the adjusted Rand index of the causal labels of a fit on these columns."""
    detector = rg.RegimeDetector(
        n_regimes=3, objective=None, difference=difference, random_state=0
    ).fit(columns)
    labelled = detector.labels_ >= 0
    return float(adjusted_rand_score(states[-len(columns) :][labelled], detector.labels_[labelled]))


def main() -> None:
    """Print the table."""
    scores: dict[str, list[float]] = {}
    for seed in SEEDS:
        bars, states = simulate_bars(seed)
        plain = pd.DataFrame({"close": bars.close, "range": np.log(bars.high / bars.low)})
        cases = {"`close` (differenced) and `range`": (plain, "auto")}
        for window in (5, 10, 20, 40):
            made = OhlcvFeatures.find(bars, window=window).frame(bars)
            cases[f"features over {window} bars"] = (made, "none")
        made = OhlcvFeatures.find(bars, window=20).frame(bars)
        cases["features over 20 bars, `--difference auto`"] = (made, "auto")
        for name, (columns, difference) in cases.items():
            scores.setdefault(name, []).append(agreement(columns, states, difference))
    print("| columns | ARI, seed 0 | seed 1 | seed 2 | mean |\n|---|---|---|---|---|")
    for name, values in scores.items():
        cells = " | ".join(f"{value:.2f}" for value in [*values, float(np.mean(values))])
        print(f"| {name} | {cells} |")
    print(f"\n{describe_machine()}")


if __name__ == "__main__":
    main()
