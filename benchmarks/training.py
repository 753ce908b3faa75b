"""What training the encoder is worth: each objective against the untrained encoder, same head.

Run: python -m benchmarks.training --seeds 40 41 42 43 44
Prints Markdown: the adjusted Rand index per task, objective and simulator (median over the seeds),
the difference to the untrained encoder on the same series and seed with Wilcoxon's signed-rank
test, and the seconds of a whole fit. Give --objectives and --simulators to do a part.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

import regimetry as rg
from benchmarks.machine import describe_machine
from benchmarks.protocol import score_in_sample, score_out_of_sample, training_rows
from regimetry.encoder.objectives import OBJECTIVES

N_STATES = {"s1": 2, "s2": 3, "s3": 3, "s4": 3, "s5": 4, "s6": 2, "n1": 3, "n2": 3}
TASKS = ("offline", "causal", "out of sample")
CAUSAL = rg.EncoderConfig(embedding_dim=64, pooling="moments", look_ahead_mask=True)


def reference_of(objective: str) -> str:
    """Return the untrained encoder that an objective is compared with."""
    return "untrained, causal mask" if objective == "next_bar" else "untrained"


def fit(values: NDArray[np.float64], n_states: int, method: str, seed: int) -> rg.RegimeDetector:
    """Fit the detector with its defaults but the objective, and the mask that one of them needs."""
    causal = method in ("next_bar", reference_of("next_bar"))
    return rg.RegimeDetector(
        n_regimes=n_states,
        encoder=CAUSAL if causal else None,
        objective=method if method in OBJECTIVES else None,
        random_state=seed,
    ).fit(values)


def scores_of(kind: str, seed: int, method: str) -> tuple[dict[str, float], float]:
    """Return the ARI of each task for one series, and the seconds of the fit on all of it."""
    simulation = rg.simulate(kind, seed=seed)
    values, states = simulation.values, simulation.states
    start = time.perf_counter()
    whole = fit(values, N_STATES[kind], method, seed)
    seconds = time.perf_counter() - start
    early = fit(values[: training_rows(len(values))], N_STATES[kind], method, seed)
    return {
        "offline": score_in_sample(states, whole.smooth(values)).ari,
        "causal": score_in_sample(states, whole.predict(values)).ari,
        "out of sample": score_out_of_sample(states, early.predict(values)).ari,
    }, seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[40, 41, 42, 43, 44])
    parser.add_argument("--objectives", nargs="+", choices=OBJECTIVES, default=list(OBJECTIVES))
    parser.add_argument("--simulators", nargs="+", choices=N_STATES, default=list(N_STATES)[:6])
    options = parser.parse_args()
    methods = list(dict.fromkeys([*map(reference_of, options.objectives), *options.objectives]))

    scores: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    seconds = defaultdict(list)
    for kind in options.simulators:
        for method in methods:
            for seed in options.seeds:
                found, spent = scores_of(kind, seed, method)
                seconds[method].append(spent)
                for task, value in found.items():
                    scores[task, method, kind].append(value)
    print_table(scores, seconds, methods, options.simulators)
    print(f"\nSeeds {', '.join(map(str, options.seeds))}. {describe_machine()}")


def print_table(
    scores: dict[tuple[str, str, str], list[float]],
    seconds: dict[str, list[float]],
    methods: list[str],
    kinds: list[str],
) -> None:
    """Print medians over seeds, their mean over simulators, and the paired differences."""
    print(f"| task | encoder | {' | '.join(k.upper() for k in kinds)} | mean | s |", end="")
    print(" mean difference | better, worse | p |")
    print("|---" * (7 + len(kinds)) + "|")
    for task in TASKS:
        for method in methods:
            medians = [float(np.median(scores[task, method, kind])) for kind in kinds]
            cells = [task, method, *(f"{m:.2f}" for m in medians), f"{np.mean(medians):.3f}"]
            cells.append(f"{np.mean(seconds[method]):.0f}")
            if method in OBJECTIVES:
                reference = reference_of(method)
                differences = np.concatenate(
                    [
                        np.subtract(scores[task, method, kind], scores[task, reference, kind])
                        for kind in kinds
                    ]
                )
                better, worse = int(np.sum(differences > 0)), int(np.sum(differences < 0))
                p = wilcoxon(differences).pvalue if better + worse else 1.0
                cells += [f"{np.mean(differences):+.3f}", f"{better}, {worse}", f"{p:.2f}"]
            else:
                cells += ["", "", ""]
            print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
