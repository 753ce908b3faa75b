"""Analysis and drift figures: ``python -m benchmarks.analysis [--models N] [--series N]``.

Times the analysis of a million labels; then counts false alarms and detections of drift, on
chains of known labels and, with models fitted for it, end to end.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np

from benchmarks.machine import describe_machine
from regimetry.analysis import (
    analyse_labels,
    comparable_novelty,
    conditional_statistics,
    detect_drift,
    performance,
    simple_returns,
)
from regimetry.analysis.drift import LINES

LEVEL = 0.05
K = 3


def chain(n_rows: int, stay: float, generator: np.random.Generator) -> np.ndarray:
    """Return a Markov chain of three states with equal chances of staying and of each change."""
    states = np.empty(n_rows, dtype=np.int64)
    states[0] = generator.integers(K)
    moves, others = generator.random(n_rows) >= stay, generator.integers(1, K, n_rows)
    for row in range(1, n_rows):
        states[row] = (states[row - 1] + moves[row] * others[row]) % K
    return states


def semi_markov(n_rows: int, generator: np.random.Generator) -> np.ndarray:
    """Return spells of 20 to 79 bars: no Markov chain."""
    parts, state = [], int(generator.integers(K))
    while sum(map(len, parts)) < n_rows + 80:
        parts.append(np.full(generator.integers(20, 80), state))
        state = (state + int(generator.integers(1, K))) % K
    start = int(generator.integers(80))
    return np.concatenate(parts)[start : start + n_rows]


def novelty(states: np.ndarray, shift: float, generator: np.random.Generator) -> np.ndarray:
    """Return a positive AR(1) of coefficient .9 whose level depends on the state."""
    shocks = generator.standard_normal(len(states)) * np.sqrt(1 - 0.9**2)
    value, log = float(generator.standard_normal()), np.empty(len(states))
    for row, shock in enumerate(shocks):
        value = 0.9 * value + shock
        log[row] = 0.3 * value
    return np.exp(log + 0.2 * states + shift)


def market(states: np.ndarray, factor: float, generator: np.random.Generator) -> np.ndarray:
    """Return three assets in three states of volatility, the simulator S2's, times a factor."""
    matrix = np.full((3, 3), 0.3) + 0.7 * np.eye(3)
    noise = generator.standard_normal((len(states), 3)) @ np.linalg.cholesky(matrix).T
    mean, deviation = np.array([0.0006, 0.0, -0.001]), np.array([0.006, 0.012, 0.025])
    return factor * (mean[states, None] + deviation[states, None] * noise)


def time_analysis(n_regimes: int, stay: float | None) -> list[float]:
    """Return median seconds of five runs on a million labels: each part, then all of them.

    ``stay`` None draws every label by itself: a spell lasts little more than a bar.
    """
    generator = np.random.default_rng(0)
    n_rows = 1_000_000
    if stay is None:
        labels = generator.integers(0, n_regimes, n_rows)
    else:
        labels = chain(n_rows, stay, generator)
    labels[:30] = -1
    probability = np.eye(n_regimes)[np.maximum(labels, 0)] * 0.7 + 0.3 / n_regimes
    price = 100 * np.exp(np.cumsum(0.001 * generator.standard_normal(n_rows)))
    returns = simple_returns(price)
    jobs: list[Callable[[], object]] = [
        lambda: analyse_labels(labels, n_regimes, probability=probability),
        lambda: performance(labels, returns, n_regimes, bars_per_year=252),
        lambda: conditional_statistics(labels, price, n_regimes),
    ]
    jobs.append(lambda: [job() for job in jobs[:3]])
    medians = []
    for job in jobs:
        seconds = []
        for _ in range(5):
            start = time.perf_counter()
            job()
            seconds.append(time.perf_counter() - start)
        medians.append(statistics.median(seconds))
    return medians


def rates_on_chains(n_series: int) -> list[tuple[str, list[float]]]:
    """Return, for each scenario, how often each line alone and any line after Holm alarms."""
    n, m = 2500, 500

    def sticky(stay: float) -> Callable[[int, np.random.Generator], np.ndarray]:
        return lambda rows, generator: chain(rows, stay, generator)

    def mostly_calm(rows: int, generator: np.random.Generator) -> np.ndarray:
        states = chain(rows, 0.97, generator)
        return np.where(states == 2, 0, states)

    scenarios: list[tuple[str, Callable, Callable, float]] = [
        ("none: Markov, stay .97", sticky(0.97), sticky(0.97), 0.0),
        ("none: Markov, stay .99", sticky(0.99), sticky(0.99), 0.0),
        ("none: spells of 20 to 79 bars", semi_markov, semi_markov, 0.0),
        ("stay .97 becomes .90", sticky(0.97), sticky(0.90), 0.0),
        ("stay .97 becomes .99", sticky(0.97), sticky(0.99), 0.0),
        ("state 2 becomes state 0", sticky(0.97), mostly_calm, 0.0),
        ("log novelty rises by .3", sticky(0.97), sticky(0.97), 0.3),
    ]
    results = []
    for number, (name, before, after, shift) in enumerate(scenarios):
        generator = np.random.default_rng(100 + number)
        alarms = np.zeros(len(LINES) + 1)
        for series in range(n_series):
            old, new = before(n, generator), after(m, generator)
            drift = detect_drift(
                old,
                new,
                K,
                training_novelty=novelty(old, 0.0, generator),
                recent_novelty=novelty(new, shift, generator),
                level=LEVEL,
                draws=299,
                seed=series,
            )
            alarms += [*(line.p_value <= LEVEL for line in drift.lines), drift.drifted]
        results.append((name, (alarms / n_series).tolist()))
    return results


def rates_end_to_end(n_models: int, n_recent: int = 5) -> list[tuple[str, list[float]]]:
    """Return the same for fitted models: fit on S2 states, judge fresh rows of the same market."""
    import regimetry as rg

    config = rg.EncoderConfig(
        embedding_dim=16, head_size=16, num_heads=2, ff_dim=32, pooling="moments"
    )
    scenarios = [
        ("none", 0.97, 1.0),
        ("volatility times 1.5", 0.97, 1.5),
        ("volatility times 3", 0.97, 3.0),
        ("stay .97 becomes .80", 0.80, 1.0),
    ]
    alarms = np.zeros((len(scenarios), len(LINES) + 1))
    for number in range(n_models):
        generator = np.random.default_rng(1000 + number)
        training = market(chain(2000, 0.97, generator), 1.0, generator)
        detector = rg.RegimeDetector(
            encoder=config, n_regimes=K, objective=None, n_landmarks=500, random_state=number
        ).fit(training)
        model = detector.model_
        rows = model.contract.window_rows
        embedding = model.embed(training)
        for scenario, (_, stay, factor) in enumerate(scenarios):
            for repeat in range(n_recent):
                recent = market(chain(500 + rows - 1, stay, generator), factor, generator)
                before, after = comparable_novelty(embedding, model.embed(recent), rows)
                drift = detect_drift(
                    detector.labels_[rows - 1 :],
                    model.predict(recent)[rows - 1 :],
                    K,
                    training_novelty=before,
                    recent_novelty=after,
                    level=LEVEL,
                    draws=299,
                    seed=repeat,
                )
                alarms[scenario] += [
                    *(line.p_value <= LEVEL for line in drift.lines),
                    drift.drifted,
                ]
    shares = alarms / (n_models * n_recent)
    return [(name, shares[i].tolist()) for i, (name, _, _) in enumerate(scenarios)]


def print_rates(title: str, rows: list[tuple[str, list[float]]]) -> None:
    print(f"\n{title}\n")
    print(f"| what changes | {' | '.join(LINES)} | any, after Holm |")
    print("|---|" + "---|" * (len(LINES) + 1))
    for name, rates in rows:
        print(f"| {name} | " + " | ".join(f"{rate:.1%}" for rate in rates) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--series", type=int, default=500, help="pairs a scenario (%(default)s)")
    parser.add_argument("--models", type=int, default=20, help="fitted models (%(default)s)")
    options = parser.parse_args()
    print(f"Measured on {describe_machine()}.\n")
    print("| 1 000 000 labels, seconds | labels | performance | a column | all (target < 1) |")
    print("|---|---|---|---|---|")
    for name, n_regimes, stay in (
        ("3 regimes, spells of 50 bars", K, 0.98),
        ("3 regimes, each label drawn by itself", K, None),
        ("40 regimes, each label drawn by itself", 40, None),
    ):
        seconds = " | ".join(f"{value:.2f}" for value in time_analysis(n_regimes, stay))
        print(f"| {name} | {seconds} |")
    if options.series:
        print_rates(
            f"Chains, 2500 training bars, 500 recent bars, {options.series} pairs, level "
            f"{LEVEL:g}; lines alone, then any line.",
            rates_on_chains(options.series),
        )
    if options.models:
        print_rates(
            f"Fitted models, 2000 training bars, 500 recent bars, {options.models} models with 5 "
            f"stretches each, level {LEVEL:g}.",
            rates_end_to_end(options.models),
        )


if __name__ == "__main__":
    main()
