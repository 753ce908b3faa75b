"""What training the encoder is worth: each objective against the untrained encoder, same head.

Run: python -m benchmarks.training --seeds 40 41 42 --jobs 2 --results results/training.jsonl
Prints Markdown: the adjusted Rand index per evidence, task, objective and simulator (median over
the seeds), the difference to the untrained encoder on the same series and seed with Wilcoxon's
signed-rank test, and the seconds of a fit without its export. One fit gives both kinds of evidence:
of whole windows, which training can improve directly, and the detector's default. Give
--objectives and --simulators to do a part. The file of --results keeps what is done: the same
command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon
from tqdm import tqdm

import regimetry as rg
from benchmarks.machine import describe_machine
from benchmarks.protocol import score_in_sample, score_out_of_sample, training_rows
from benchmarks.rivals.head import Labelled, fit_encoder
from regimetry.encoder.objectives import OBJECTIVES

N_STATES = {"s1": 2, "s2": 3, "s3": 3, "s4": 3, "s5": 4, "s6": 2, "n1": 3, "n2": 3}
TASKS = ("offline", "causal", "out of sample")
EVIDENCE = ("windows", "default")
Unit = tuple[str, int, str]
"""Simulator, seed and encoder."""
CAUSAL = rg.EncoderConfig(embedding_dim=64, pooling="moments", look_ahead_mask=True)


def reference_of(objective: str) -> str:
    """Return the untrained encoder that an objective is compared with."""
    return "untrained, causal mask" if objective == "next_bar" else "untrained"


def fit(values: NDArray[np.float64], n_states: int, method: str, seed: int) -> Labelled:
    """Fit as the detector does, but for the objective, and the mask that one of them needs."""
    causal = method in ("next_bar", reference_of("next_bar"))
    return fit_encoder(
        values,
        n_states,
        seed,
        encoder=CAUSAL if causal else None,
        objective=method if method in OBJECTIVES else None,
    )


def result_of(unit: Unit, *, in_sample: bool) -> dict[str, Any]:
    """Return the ARI of each evidence and task for one series, and the seconds of a whole fit."""
    kind, seed, method = unit
    simulation = rg.simulate(kind, seed=seed)
    values, states = simulation.values, simulation.states
    start = time.perf_counter()
    whole = fit(values, N_STATES[kind], method, seed)
    seconds = time.perf_counter() - start
    first = values[: training_rows(len(values))]
    early = None if in_sample else fit(first, N_STATES[kind], method, seed)
    scores: dict[str, dict[str, float]] = {}
    for evidence in EVIDENCE:
        by = by_evidence(whole, evidence)
        scores[evidence] = {
            "offline": score_in_sample(states, by.offline(values)).ari,
            "causal": score_in_sample(states, by.causal(values)).ari,
        }
        if early is not None:
            labels = by_evidence(early, evidence).causal(values)
            scores[evidence]["out of sample"] = score_out_of_sample(states, labels).ari
    return {"unit": list(unit), "seconds": seconds, "scores": scores}


def by_evidence(fitted: Labelled, evidence: str) -> Labelled:
    """Return what labels by the evidence of that name."""
    return replace(fitted, refinement=None) if evidence == "windows" else fitted


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[40, 41, 42])
    parser.add_argument("--objectives", nargs="+", choices=OBJECTIVES, default=list(OBJECTIVES))
    parser.add_argument("--simulators", nargs="+", choices=N_STATES, default=list(N_STATES)[:6])
    parser.add_argument("--in-sample", action="store_true", help="leave the out-of-sample task out")
    parser.add_argument("--jobs", type=int, default=1, help="processes, of one thread each")
    parser.add_argument("--results", type=Path, help="file that keeps each series' result")
    options = parser.parse_args()
    methods = list(dict.fromkeys([*map(reference_of, options.objectives), *options.objectives]))
    units = [
        (kind, seed, method)
        for seed, kind, method in itertools.product(options.seeds, options.simulators, methods)
    ]
    scores: dict[tuple[str, str, str, str], list[float]] = defaultdict(list)
    seconds = defaultdict(list)
    for result in results_of(units, options.jobs, options.results, in_sample=options.in_sample):
        kind, _, method = result["unit"]
        seconds[method].append(result["seconds"])
        for evidence, task in itertools.product(EVIDENCE, TASKS[: 2 if options.in_sample else 3]):
            scores[evidence, task, method, kind].append(result["scores"][evidence][task])
    for evidence in EVIDENCE:
        print(f"\nEvidence: {evidence}.\n")
        own = {key[1:]: value for key, value in scores.items() if key[0] == evidence}
        print_table(own, seconds, methods, options.simulators)
    print(f"\nSeeds {', '.join(map(str, options.seeds))}. {describe_machine()}")


def results_of(
    units: Sequence[Unit], jobs: int, path: Path | None, *, in_sample: bool
) -> list[dict[str, Any]]:
    """Return the results in the order of the units; those that the file holds are not run again."""
    found = {}
    if path is not None and path.exists():
        for result in map(json.loads, path.read_text().splitlines()):
            if in_sample or "out of sample" in result["scores"]["default"]:
                found[tuple(result["unit"])] = result
    todo = [unit for unit in units if unit not in found]
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ[name] = "1"  # of the processes that are started below
    with multiprocessing.get_context("spawn").Pool(jobs) as pool:
        run = partial(result_of, in_sample=in_sample)
        for result in tqdm(pool.imap_unordered(run, todo), total=len(todo), unit="fit"):
            found[tuple(result["unit"])] = result
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a") as file:
                    file.write(json.dumps(result) + "\n")
    return [found[unit] for unit in units]


def print_table(
    scores: Mapping[tuple[str, str, str], Sequence[float]],
    seconds: Mapping[str, Sequence[float]],
    methods: Sequence[str],
    kinds: Sequence[str],
) -> None:
    """Print medians over seeds, their mean over simulators, and the paired differences."""
    print(f"| task | encoder | {' | '.join(k.upper() for k in kinds)} | mean | s |", end="")
    print(" mean difference | better, worse | p |")
    print("|---" * (7 + len(kinds)) + "|")
    for task, method in itertools.product(TASKS, methods):
        if (task, method, kinds[0]) in scores:
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
