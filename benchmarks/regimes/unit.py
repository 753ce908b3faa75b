"""One piece of work: a method fitted once to one series, and scored."""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

import benchmarks
import regimetry
from benchmarks.protocol import (
    balanced_accuracy,
    best_matching,
    rename,
    score_in_sample,
    score_out_of_sample,
    training_rows,
)
from benchmarks.regimes.problems import PUBLISHED, Problem, load_problem
from benchmarks.regimes.recordings import score_recording
from benchmarks.rivals.registry import METHODS
from regimetry.files import replacing
from regimetry.series.simulators import NULLS

TASKS = ("offline", "causal", "out_of_sample")


@dataclass(frozen=True)
class Unit:
    """What is fitted.

    Attributes
    ----------
    method, problem : str
    seed : int
        Of the series and of the method.
    part : {"whole", "training", "recording"}
        What is fitted: all bars, for the tasks offline and causal; the first 60 %; a recording.
    chosen : bool
        The method chooses K; else it is given.
    """

    method: str
    problem: str
    seed: int
    part: str
    chosen: bool

    @property
    def path(self) -> str:
        """File name of its result; the hash is of all that the result depends on."""
        choice = "auto" if self.chosen else "given"
        return (
            f"{self.method}_{self.problem}_{self.seed}_{self.part}_{choice}_{self.digest()[:12]}"
            ".json"
        )

    def digest(self) -> str:
        """Return the SHA-256 of the unit, the code it runs and the versions of the packages."""
        method = METHODS[self.method]
        package, here = Path(regimetry.__file__).parent, Path(benchmarks.__file__).parent
        own = method.function.partition(":")[0]
        sources = [
            *(package / source for source in ("series/simulators", *method.sources)),
            *(here / f"{source}.py" for source in ("protocol", "regimes/unit", f"rivals/{own}")),
            *(here / f"rivals/{source}.py" for source in ("statistics", "filtering")),
            *([here / "regimes/recordings.py"] if self.part == "recording" else []),
        ]
        content = {
            "unit": asdict(self),
            "code": [_fingerprint(source) for source in sources],
            "versions": {name: metadata.version(name) for name in method.packages},
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@cache
def _fingerprint(source: Path) -> str:
    files = sorted(source.rglob("*.py")) if source.is_dir() else [source]
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def run_unit(unit: Unit, path: Path) -> None:
    """Fit, score and write the result, whole or not at all."""
    start = time.perf_counter()
    result = {"unit": asdict(unit), **_result(unit)}
    result["seconds"] = round(time.perf_counter() - start, 2)
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(result, indent=1) + "\n")


def _result(unit: Unit) -> dict[str, Any]:
    if unit.part == "recording":
        return score_recording(unit.problem, unit.method, unit.seed)
    problem = load_problem(unit.problem, unit.seed)
    fit = METHODS[unit.method].load()
    n_regimes = None if unit.chosen else problem.n_regimes
    whole = unit.part == "whole"
    rows = problem.values if whole else problem.values[: training_rows(len(problem.values))]
    fitted = fit(unit.problem, np.ascontiguousarray(rows), n_regimes, unit.seed)
    result: dict[str, Any] = {"n_regimes": fitted.n_regimes, "true_n_regimes": problem.n_regimes}
    if unit.problem in NULLS:
        return result
    if unit.problem in PUBLISHED:
        return {**result, "published": _published(problem, fitted.offline(problem.values))}
    if not whole:
        scores = {
            "out_of_sample": score_out_of_sample(problem.states, fitted.causal(problem.values))
        }
    else:
        scores = {
            "offline": score_in_sample(problem.states, fitted.offline(problem.values)),
            "causal": score_in_sample(problem.states, fitted.causal(problem.values)),
        }
    return {**result, "scores": {task: _plain(asdict(score)) for task, score in scores.items()}}


def _plain(scores: dict[str, float]) -> dict[str, float | None]:
    return {name: None if math.isnan(value) else value for name, value in scores.items()}


def _published(problem: Problem, labels: np.ndarray) -> float:
    """Return balanced accuracy over all bars, as published: a state never named counts 0."""
    known = np.flatnonzero(labels >= 0)
    nearest = np.clip(np.arange(len(labels)), known[0], known[-1])
    full = labels[nearest]
    named = rename(full, best_matching(problem.states, full))
    return balanced_accuracy(problem.states, named, problem.n_regimes)
