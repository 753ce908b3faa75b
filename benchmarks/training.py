"""What training the encoder is worth: each objective against the untrained encoder, same head.

Run: python -m benchmarks.training --seeds 40 41 42 43 44
Prints Markdown: the adjusted Rand index per task, objective and simulator (median over the seeds),
and the difference to the untrained encoder on the same series and seed. Give --objectives and
--simulators to do a part.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from dataclasses import replace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

import regimetry as rg
from benchmarks.machine import describe_machine
from benchmarks.protocol import (
    at_centre,
    at_last_bar,
    score_in_sample,
    score_out_of_sample,
    training_rows,
)
from regimetry.encoder import EncoderConfig, build_encoder
from regimetry.encoder.inference import embed_windows
from regimetry.encoder.objectives import OBJECTIVES
from regimetry.encoder.seeding import seeded
from regimetry.encoder.training import train_encoder
from regimetry.learning import cut_windows
from regimetry.regimes.head import Head, fit_head
from regimetry.runtime.jump import jump_forward, jump_path
from regimetry.series.preprocessing import fit_preprocessing

N_STATES = {"s1": 2, "s2": 3, "s3": 3, "s4": 3, "s5": 4, "s6": 2, "n1": 3, "n2": 3}
TASKS = ("offline", "causal", "out of sample")
WINDOW_SIZE = 10
CONFIG = EncoderConfig(window_size=WINDOW_SIZE, embedding_dim=64, pooling="moments")
JUMP_PENALTY, SMOOTH_PENALTY = 1.0, 3.0  # the detector's

Key = tuple[str, str]  # objective, task


def reference_of(objective: str) -> str:
    """Return the untrained encoder that an objective is compared with."""
    return "untrained, causal mask" if objective == "next_bar" else "untrained"


def embed_trained(
    windows: NDArray[np.float32], n_training: int, method: str, seed: int
) -> tuple[NDArray[np.float32], float]:
    """Return embeddings of all windows, and the seconds that training on the first took."""
    causal = method in ("next_bar", reference_of("next_bar"))
    config = replace(CONFIG, num_features=windows.shape[2], look_ahead_mask=causal)
    with seeded(seed):
        encoder = build_encoder(config)
        start = time.perf_counter()
        if method in OBJECTIVES:
            train_encoder(encoder, windows[:n_training], OBJECTIVES[method](WINDOW_SIZE), seed=seed)
        seconds = time.perf_counter() - start
    return embed_windows(encoder, windows), seconds


def fit_on(
    embeddings: NDArray[np.float32], windows: NDArray[np.float32], n_states: int, seed: int
) -> Head:
    """Fit the head as the detector does."""
    volatility = windows.std(axis=1).mean(axis=1)
    return fit_head(embeddings, volatility, n_regimes=n_states, lag=WINDOW_SIZE, seed=seed)


def scores_of(kind: str, seed: int, method: str) -> tuple[dict[str, float], float]:
    """Return the ARI of each task for one series, and the seconds of training on all of it."""
    simulation = rg.simulate(kind, seed=seed)
    values, states, n_rows = simulation.values, simulation.states, len(simulation.values)

    windows = cut_windows(fit_preprocessing(values, simulation.names, "auto"), values, WINDOW_SIZE)
    embeddings, seconds = embed_trained(windows, len(windows), method, seed)
    distance = fit_on(embeddings, windows, N_STATES[kind], seed).outputs(embeddings)["distance"]
    offline = at_centre(jump_path(distance, SMOOTH_PENALTY), n_rows, WINDOW_SIZE)
    causal = at_last_bar(jump_forward(distance, JUMP_PENALTY)[0], n_rows)

    cut = training_rows(n_rows)
    preprocessing = fit_preprocessing(values[:cut], simulation.names, "auto")
    windows = cut_windows(preprocessing, values, WINDOW_SIZE)
    n_training = len(windows) - (n_rows - cut)
    embeddings, _ = embed_trained(windows, n_training, method, seed)
    head = fit_on(embeddings[:n_training], windows[:n_training], N_STATES[kind], seed)
    later = at_last_bar(jump_forward(head.outputs(embeddings)["distance"], JUMP_PENALTY)[0], n_rows)
    return {
        "offline": score_in_sample(states, offline).ari,
        "causal": score_in_sample(states, causal).ari,
        "out of sample": score_out_of_sample(states, later).ari,
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
