"""Landmarks spread over the space against landmarks even in time, and which are chosen.

Run: python -m benchmarks.landmarks [--seeds 35,36,37] [--kinds s1,n1] [--recordings NAME:SIZE,...]
Of each series a Markdown row: the share of the slow directions that the regimes explain, their
stability under resampling and the adjusted Rand index with the true states, with landmarks even in
time / spread over the space, and which the head takes. K given, whole windows with hindsight, by
the untrained encoder; windows of 10 bars at every bar of simulators, and every fifth of their size
of recordings, which lie in the folder that ``REGIMETRY_DATA`` names.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from benchmarks.machine import describe_machine
from benchmarks.regimes.recordings import embed_untrained, load_recording, vote
from regimetry import rolling_windows
from regimetry.regimes.choice.stability import stability, windows_per_block
from regimetry.regimes.clustering.clusters import distances
from regimetry.regimes.clustering.head import WHOLE_SERIES_PENALTY, fit_head
from regimetry.regimes.clustering.landmarks import MOST_SPREAD, cluster_on
from regimetry.regimes.clustering.sampling import Draw, even_rows, spread_rows
from regimetry.regimes.clustering.slow import fit_slow_directions, slow_dimension
from regimetry.regimes.evidence.correlation_ratio import correlation_ratio
from regimetry.runtime.recursion import jump_path
from regimetry.series.units import fit_preprocessing

KINDS = "s1,s2,s3,s4,s5,s6,n1,n2"
DRAWS: tuple[tuple[Draw, int], ...] = ((even_rows, 1000), (spread_rows, MOST_SPREAD))
WINDOW = 10
COMPARED = 250

Values = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Series:
    """Bars (T, F) whose states (T,) are known, and the windows to cut."""

    name: str
    values: Values
    states: Labels
    size: int
    step: int
    seed: int


def row(series: Series) -> str:
    """Cluster one series by both."""
    names = [f"x{i}" for i in range(series.values.shape[1])]
    rows = fit_preprocessing(series.values, names, "auto").apply(series.values)
    states = series.states[-len(rows) :]
    windows = rolling_windows(rows, series.size)[:: series.step]
    embeddings, lag = embed_untrained(windows, series.seed), series.size // series.step
    n_regimes = len(np.unique(states))
    slow = fit_slow_directions(embeddings, lag)
    points = slow.whiten(embeddings) @ slow.projection(slow_dimension(n_regimes))
    cells: tuple[list[str], ...] = ([], [], [])
    for draw, count in DRAWS:
        drawn = draw(points, np.arange(len(points)), count, np.random.default_rng(series.seed))
        found = cluster_on(points[drawn], points, n_regimes, series.seed)
        compared = np.arange(0, len(points), -(-len(points) // COMPARED))
        again = stability(
            points,
            compared,
            found.labels[compared],
            n_regimes,
            block=windows_per_block(lag, len(points)),
            seed=series.seed,
            draw=draw,
        )
        distance = distances(found.spectral.transform(points), found.centroids)
        path = jump_path(distance, WHOLE_SERIES_PENALTY * lag)
        score = adjusted_rand_score(states, vote(path, series.size, series.step, len(rows)))
        for cell, value in zip(
            cells, (correlation_ratio(points, found.labels), again.mean(), score), strict=True
        ):
            cell.append(f"{value:.2f}")
    volatility = windows.std(axis=1).mean(axis=1)
    head = fit_head(embeddings, volatility, n_regimes=n_regimes, lag=lag, seed=series.seed)
    chosen = head.landmarks.drawn
    pairs = " | ".join(" / ".join(cell) for cell in cells)
    return f"| {series.name} | {pairs} | {chosen} |"


def rows(kinds: str, seeds: str, recordings: str) -> Iterator[str]:
    """Yield a row of each series."""
    for kind in filter(None, kinds.removeprefix("none").split(",")):
        for seed in map(int, seeds.split(",")):
            series = rg.simulate(kind, seed=seed)
            named = f"{kind} {seed}"
            yield row(Series(named, series.values, series.states, WINDOW, 1, seed))
    for recording in filter(None, recordings.split(",")):
        name, _, size = recording.partition(":")
        values, states = load_recording(name)
        named = f"{name}, {size} bars"
        yield row(Series(named, values, states, int(size), int(size) // 5, 0))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", default="35,36,37")
    parser.add_argument("--kinds", default=KINDS, help="simulators, or none")
    parser.add_argument("--recordings", default="", help="such as actrectut_1:10,synthetic_0:40")
    options = parser.parse_args()
    print("| series | correlation ratio | stability | adjusted Rand index | chosen |")
    print("|---|---|---|---|---|", flush=True)
    for text in rows(options.kinds, options.seeds, options.recordings):
        print(text, flush=True)
    print(f"\neven in time / spread over the space. {describe_machine()}")


if __name__ == "__main__":
    main()
