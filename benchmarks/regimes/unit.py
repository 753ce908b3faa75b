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

_HERE = Path(benchmarks.__file__).parent
# What computes a result: the whole package, the methods, and what scores them here.
CODE = (
    Path(regimetry.__file__).parent,
    _HERE / "rivals",
    _HERE / "protocol.py",
    *(_HERE / "regimes" / f"{name}.py" for name in ("problems", "recordings", "unit")),
)


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
        """Return the SHA-256 of the unit, of all code and of the versions of its packages."""
        content = {
            "unit": asdict(self),
            "code": fingerprint(CODE),
            "versions": {name: metadata.version(name) for name in METHODS[self.method].packages},
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@cache
def fingerprint(sources: tuple[Path, ...]) -> str:
    """Return the SHA-256 of files, and of the Python files and extensions below folders."""
    digest = hashlib.sha256()
    for source in sources:
        for file in sorted(source.rglob("*")) if source.is_dir() else [source]:
            if file.suffix in (".py", ".so", ".pyd"):
                content = hashlib.sha256(file.read_bytes()).hexdigest()
                digest.update(f"{file.relative_to(source.parent)} {content}\n".encode())
    return digest.hexdigest()


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
