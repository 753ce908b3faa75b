"""When single bars replace windows as evidence, and what this gains.

Run: python -m benchmarks.evidence [--seeds 0,1,2] [--kinds s1,h3] [--recordings NAME:SIZE,...]
         [--tables FILE:SIZE:K,...]
Of each series a Markdown row: the adjusted Rand index of the two labellings, the shares of the
variance of windows that they explain W bars away, bars / windows, and which of them the detector
takes; where states are known, what each labelling is worth with hindsight, by its adjusted Rand
index with them, on h3 by balanced accuracy; and how often each changes. K given, defaults
otherwise, the untrained encoder; windows of 10 bars of simulators. Recordings lie in the folder
that ``REGIMETRY_DATA`` names; tables are read in all their columns of numbers.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pandas as pd

from benchmarks.machine import describe_machine
from benchmarks.protocol import at_centre, at_last_bar, score_in_sample
from benchmarks.regimes.problems import PUBLISHED, load_problem
from benchmarks.regimes.recordings import load_recording
from benchmarks.rivals.fitted import Labels, Values
from regimetry.fit.learn import learn, measured_rows
from regimetry.fit.options import FitOptions
from regimetry.fit.source import panel_source
from regimetry.regimes.evidence.newest import NewestBars
from regimetry.regimes.evidence.refine import refine
from regimetry.runtime.recursion import jump_path

KINDS = "s1,s2,s3,s4,s5,s6,n1,n2,h3,h3-2000"
WINDOW = 10


@dataclass(frozen=True)
class Series:
    """Bars (T, F), their states (T,) where these are known, and how to fit."""

    name: str
    values: Values
    states: Labels | None
    window_size: int
    n_regimes: int
    seed: int = 0

    def score(self, labels: Labels) -> str:
        """Return the scores of labels (T,)."""
        if self.states is None:
            return ""
        scores = score_in_sample(self.states, labels)
        return f"{scores.bac if self.name.split()[0] in PUBLISHED else scores.ari:.2f}"


def row(series: Series) -> str:
    """Tell the regimes of one series by windows, then by bars."""
    options = FitOptions(
        window_size=series.window_size,
        n_regimes=series.n_regimes,
        evidence="window",
        seed=series.seed,
    )
    learned = learn(measured_rows(panel_source(series.values), options), options)
    windows, n_rows = learned.windows, len(series.values)
    by_windows = jump_path(learned.distance, learned.head.penalty)
    newest = NewestBars.of(
        windows, by_windows, series.n_regimes, learned.preprocessing.prices, seed=series.seed
    )
    points = learned.head.slow.whiten(learned.embeddings) @ learned.head.projection
    found = refine(newest, windows, points)
    by_bars = jump_path(windows.map(found.emission.costs), found.penalty)
    cells = [
        series.name,
        f"{found.agreement:.2f}",
        f"{found.correlation_ratio:.2f} / {found.correlation_ratio_of_windows:.2f}",
        "bars" if found.explains_enough else "windows",
        series.score(at_centre(by_windows, n_rows, series.window_size)),
        series.score(at_last_bar(by_bars, n_rows)),
        f"{np.count_nonzero(np.diff(by_windows))} / {np.count_nonzero(np.diff(by_bars))}",
    ]
    return f"| {' | '.join(cells)} |"


def all_series(kinds: str, seeds: str, recordings: str, tables: str) -> Iterator[Series]:
    """Yield the requested series."""
    for kind in filter(None, kinds.removeprefix("none").split(",")):
        for seed in map(int, seeds.split(",")):
            problem = load_problem(kind, seed)
            named = f"{kind} {seed}"
            yield Series(named, problem.values, problem.states, WINDOW, problem.n_regimes, seed)
    for recording in filter(None, recordings.split(",")):
        name, size = recording.split(":")
        values, states = load_recording(name)
        count = len(np.unique(states))
        yield Series(f"{name}, {size} bars", values, states, int(size), count)
    for table in filter(None, tables.split(",")):
        path, size, count = table.rsplit(":", 2)
        values = pd.read_csv(path).select_dtypes("number").to_numpy(np.float64, copy=True)
        name = os.path.basename(path)
        yield Series(f"{name}, {size} bars, K = {count}", values, None, int(size), int(count))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="0,1,2,3,4,20,21,22")
    parser.add_argument("--kinds", default=KINDS, help="simulators, or none")
    parser.add_argument("--recordings", default="", help="such as actrectut_1:10,synthetic_0:40")
    parser.add_argument("--tables", default="", help="such as spx.csv:20:3")
    options = parser.parse_args()
    print("| series | agreement | bars / windows | told by | windows | bars | changes |")
    print("|---|---|---|---|---|---|---|", flush=True)
    asked = (options.kinds, options.seeds, options.recordings, options.tables)
    for series in all_series(*asked):
        print(row(series), flush=True)
    print(f"\n{describe_machine()}")


if __name__ == "__main__":
    main()
