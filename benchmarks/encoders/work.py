"""All units of a run: which there are, and running those without a result."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from benchmarks.encoders.sets import column_of, n_states, tasks_of
from benchmarks.encoders.unit import Unit
from benchmarks.machine import THREADS
from benchmarks.outside.sets import Series

COLUMNS = ("features", "column", "series", "states", "chosen", "n_regimes", "window", "seconds",
           "evidence", "task", "score", "delay")  # fmt: skip

Result = tuple[Unit, dict[str, Any]]


def plan(
    features: Sequence[str],
    series: Sequence[Series],
    tasks: Sequence[str],
    choices: Sequence[bool],
    *,
    bars: bool,
    window_size: int | None,
    weights: Path | None,
) -> list[Unit]:
    """List the units that a table needs; one regime is only of interest where K is chosen."""
    return [
        Unit(name, one, training, chosen, bars, window_size, weights)
        for one in series
        for chosen in choices
        if chosen or n_states(one) > 1
        for training in (False, True)
        if any((task == "out of sample") == training for task in tasks_of(one) if task in tasks)
        for name in features
    ]


def run_all(units: Sequence[Unit], folder: Path, jobs: int) -> list[str]:
    """Run what has no result yet, in ``jobs`` processes of one thread each.

    Returns
    -------
    list of str
        A line for each unit that failed; the others are finished first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    todo = [unit for unit in units if not (folder / unit.path).exists()]
    failures = []
    # Read by the libraries of the workers when they are imported: nothing is oversubscribed.
    os.environ.update(dict.fromkeys(THREADS, "1"))
    with (
        ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool,
        tqdm(total=len(units), initial=len(units) - len(todo), unit="fit", file=sys.stderr) as bar,
    ):
        futures = {pool.submit(unit.run, folder): unit for unit in todo}
        for future in as_completed(futures):
            unit, error = futures[future], future.exception()
            if error is not None:
                failures.append(f"{unit}: {type(error).__name__}: {error}")
            bar.set_postfix_str(f"{unit.features} {unit.series.name} {unit.series.seed}", False)
            bar.update()
    return failures


def read_results(units: Sequence[Unit], folder: Path) -> list[Result]:
    """Read the results of the units that have one."""
    places = [(unit, folder / unit.path) for unit in units]
    return [(unit, json.loads(path.read_text())) for unit, path in places if path.exists()]


def refusals(results: Sequence[Result]) -> list[str]:
    """Return a line for each series that a fit to its first part does not label, and why."""
    found = {
        f"{unit.series.name} {unit.series.seed}": result["refused"]
        for unit, result in results
        if result["refused"] is not None
    }
    return [f"No score out of sample: {name}. {reason}" for name, reason in found.items()]


def table_of(results: Sequence[Result]) -> pd.DataFrame:
    """Return a row for each result, evidence and task.

    Returns
    -------
    pandas.DataFrame
        With the columns :data:`COLUMNS`; ``series`` tells series of a column apart, ``states`` is
        the true K, and what a series has no number for is NaN.
    """
    rows = []
    for unit, result in results:
        common = {
            "features": unit.features,
            "column": column_of(unit.series),
            "series": f"{unit.series.name} {unit.series.seed}",
            "states": n_states(unit.series),
            "chosen": unit.chosen,
            **{name: result[name] for name in ("n_regimes", "window", "seconds")},
        }
        rows += [
            {**common, "evidence": evidence, "task": task, **scores}
            for evidence, tasks in result["scores"].items()
            for task, scores in tasks.items()
        ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.astype({"score": float, "delay": float, "chosen": bool})
