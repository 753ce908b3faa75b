"""All units of a benchmark, run in several processes; existing results are used again."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from tqdm import tqdm

from benchmarks.machine import THREADS
from benchmarks.regimes.problems import PUBLISHED
from benchmarks.regimes.recordings import RECORDING_SEED, WINDOWED
from benchmarks.regimes.unit import Unit, run_unit
from benchmarks.rivals.registry import METHODS
from regimetry.series.simulators import NULLS


def plan(
    methods: Sequence[str],
    problems: Sequence[str],
    seeds: Sequence[int],
    tasks: Sequence[str],
    *,
    choices: Sequence[bool],
    recordings: Sequence[str] = (),
) -> list[Unit]:
    """List the units that the tables need.

    Parameters
    ----------
    methods, problems, tasks : sequence of str
    seeds : sequence of int
    recordings : sequence of str
        Fitted with K given, by the methods that label windows.
    choices : sequence of bool
        Whether the methods choose K: not, or those that can, or both.

    Returns
    -------
    list of Unit
        One regime is only of interest where K is chosen, and the published market only offline
        with K given.
    """
    parts = [
        *(["whole"] if {"offline", "causal"} & set(tasks) else []),
        *(["training"] if "out_of_sample" in tasks else []),
    ]
    units = [
        Unit(name, recording, RECORDING_SEED, "recording", chosen=False)
        for recording in recordings
        for name in methods
        if name in WINDOWED
    ]
    for seed in seeds:
        for problem in problems:
            alone = problem in NULLS or problem in PUBLISHED
            for name in methods:
                method = METHODS[name]
                if method.kinds is not None and problem not in method.kinds:
                    continue
                for chosen in [True] if problem in NULLS else choices:
                    if chosen and (not method.chooses or problem in PUBLISHED):
                        continue
                    units.extend(
                        Unit(name, problem, seed, part, chosen)
                        for part in (["whole"] if alone else parts)
                    )
    return units


def run_all(units: Sequence[Unit], folder: Path, jobs: int) -> list[str]:
    """Run what has no result yet, ``jobs`` processes of one thread each.

    Returns
    -------
    list of str
        What went wrong, a line for each unit that failed; the others are finished first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    todo = [unit for unit in units if not (folder / unit.path).exists()]
    failures = []
    # Read by the libraries of the workers when they are imported: nothing is oversubscribed.
    os.environ.update(dict.fromkeys(THREADS, "1"), TF_CPP_MIN_LOG_LEVEL="3")
    with (
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool,
        tqdm(
            total=len(units), initial=len(units) - len(todo), unit="fit", file=sys.stderr
        ) as progress,
    ):
        futures = {pool.submit(run_unit, unit, folder / unit.path): unit for unit in todo}
        for future in as_completed(futures):
            unit, error = futures[future], future.exception()
            if error is not None:
                failures.append(f"{unit}: {type(error).__name__}: {error}")
            progress.set_postfix_str(f"{unit.method} {unit.problem} {unit.seed}", refresh=False)
            progress.update()
    return failures
