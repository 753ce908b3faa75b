"""The constants of the choice, each set left out once: ``python -m benchmarks.outside.constants``.

Every candidate of every series is labelled once, by windows alone. Then the rule of the package
chooses among them with other constants: which are best on all sets but one, and what they score
on that one. It takes minutes for the candidates, which are kept in a folder, and then one or two.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from tqdm import tqdm

from benchmarks.arguments import add_output, names_of, seeds
from benchmarks.outside.scores import filled, scores
from benchmarks.outside.sets import SETS, Series, series_of
from benchmarks.outside.unit import CODE
from benchmarks.regimes.tables import markdown
from benchmarks.regimes.unit import fingerprint
from benchmarks.rivals.fitted import Labels
from regimetry.contract import Candidate
from regimetry.files import replacing
from regimetry.fit.choose import Compared, candidates
from regimetry.fit.encoder import embed_series, encoder_reach
from regimetry.fit.options import FitOptions
from regimetry.regimes.choice import rule
from regimetry.regimes.choice.candidates import SIZES, Sample, path_of
from regimetry.regimes.choice.segments import Segments
from regimetry.series.units import fit_preprocessing

OPTIONS = FitOptions()

GRID = {
    "ENTROPY_EXPONENT": (0.5, 0.75, 1.0),
    "LASTING_EXPONENT": (1.5, 2.0),
    "LEAST_EVIDENCE": (0.015, 0.02, 0.025, 0.03),
    "LEAST_STEPS": (0.0, 0.02, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09, 0.1),
}

LEAST_AGREEMENT = 0.7
"""Adjusted Rand index of a toy: single bars, which add some, come after the choice."""

Described = list[tuple[Candidate, dict[str, float]]]


def described(series: Series, folder: Path) -> tuple[Described, int, dict[str, float]]:
    """Return the candidates of a series with their scores, the true K, and one regime's scores."""
    key = hashlib.sha256(f"{series} {fingerprint(CODE)}".encode()).hexdigest()[:20]
    path = folder / f"candidates_{series.set.replace(' ', '_')}_{key}.json"
    if not path.exists():
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(_described(series)))
    found = json.loads(path.read_text())
    table = [(Candidate(**entry), score) for entry, score in found["table"]]
    return table, found["true_count"], found["one"]


def _described(series: Series) -> dict[str, Any]:
    values, states = series.load()
    varies = np.ptp(values, axis=0) > 1e-6 * np.abs(values).max(axis=0)
    values = values[:, varies]
    names = [f"x{column}" for column in range(values.shape[1])]
    rows = fit_preprocessing(values, names).apply(values)
    states = states[len(states) - len(rows) :]
    reach = {size: encoder_reach(OPTIONS, size) for size in SIZES}
    compared = candidates([rows], Compared(None, reach, partial(embed_series, OPTIONS)), OPTIONS)
    table = []
    for entry, source in compared:
        plain = {name: value for name, value in asdict(entry).items() if name != "landmarks"}
        table.append((plain, scores(states, _labels(source, entry.n_regimes, len(rows)))))
    return {
        "table": table,
        "true_count": len(np.unique(states)),
        "one": scores(states, np.zeros(len(states), np.int64)),
    }


def _labels(source: Sample | Segments, count: int, n_rows: int) -> Labels:
    """Return the label of every row."""
    if isinstance(source, Segments):
        return source.labels(np.arange(n_rows))
    known = np.full(n_rows, -1)
    known[source.rows] = path_of(source, count, OPTIONS.seed)
    return filled(known)


def chosen_score(series: Series, found: tuple[Described, int, dict[str, float]]) -> float:
    """Return AMI of a recording, ARI of a simulated series, and whether a toy or null is right."""
    table, true_count, one = found
    first, *rest = rule.choose([entry for entry, _ in table], window_size=SIZES[0])
    place = next((i for i, entry in enumerate(rest) if entry.chosen), None)
    count = first.n_regimes if place is None else rest[place].n_regimes
    score = one if place is None else table[place][1]
    if series.set in ("toys", "toys without", "nulls"):
        agrees = series.set != "toys" or score["ari"] > LEAST_AGREEMENT
        return float(count == true_count and agrees)
    return score["ari" if series.set == "simulators" else "ami"]


def main(arguments: list[str] | None = None) -> int:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.outside.constants", description=__doc__
    )
    parser.add_argument("--sets", type=names_of(SETS), default=list(SETS), help=", ".join(SETS))
    parser.add_argument("--seeds", type=seeds, default=seeds("0-4"), help="of what is made")
    add_output(parser)
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    every: dict[str, list[tuple[Series, Any]]] = {}
    for name in options.sets:
        series = tqdm(series_of(name, tuple(options.seeds)), name, file=sys.stderr)
        every[name] = [(one, described(one, options.output)) for one in series]
    every = {name: each for name, each in every.items() if each}
    own = tuple(getattr(rule, name) for name in GRID)
    grid = list(dict.fromkeys([own, *itertools.product(*GRID.values())]))
    means = np.empty((len(grid), len(every)))
    for place, constants in enumerate(tqdm(grid, "constants", file=sys.stderr)):
        with mock.patch.multiple(rule, **dict(zip(GRID, constants, strict=True))):
            means[place] = [np.mean([chosen_score(*one) for one in s]) for s in every.values()]
    rows = []
    for column, name in enumerate(every):
        others = np.delete(means, column, axis=1).mean(axis=1)
        best = int(others.argmax())  # of equal ones the package's own, which come first
        told = " ".join(f"{value:g}" for value in grid[best])
        rows.append([name, f"{means[0, column]:.3f}", told, f"{means[best, column]:.3f}"])
    print(markdown(("set", "the package", "constants without it", "with these"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
