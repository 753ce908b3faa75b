"""How spectral clustering on landmarks grows: time and memory against the number of windows.

Run: python -m benchmarks.scale [--image FILE] [--fit]
Compares 10 000 windows with scikit-learn's SpectralClustering on the same points, then clusters up
to 500 000, each in a process of its own whose peak memory is read. ``--fit`` also runs a whole
RegimeDetector.fit on 500 000 windows. Prints Markdown tables.
"""

import argparse
import json
import os
import subprocess
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans, SpectralClustering
from sklearn.metrics import adjusted_rand_score

import regimetry as rg
from benchmarks.machine import describe_machine, peak_bytes
from benchmarks.regimes.recordings import embed_untrained
from regimetry.regimes.clustering.head import slow_dimension
from regimetry.regimes.clustering.sampling import stratified_rows
from regimetry.regimes.clustering.slow import fit_slow_directions
from regimetry.regimes.clustering.spectral import (
    fit_spectral_map,
    local_bandwidths,
    neighbour_rank,
    squared_distances,
)
from regimetry.regimes.memory import GIB

COMPARED = 10_000
KINDS = ("s1", "s2", "s4", "s5")
COUNTS = (10_000, 50_000, 100_000, 200_000, 500_000)
N_LANDMARKS = 1000
N_REGIMES = 3
EMBEDDING = 192
WINDOW = 10
SEED = 20

Floats = NDArray[np.float64]


def embeddings_like(n: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return N embeddings (N, 192) in time order and their states (N,).

    A chain of three states, noise, a random map.
    """
    generator = np.random.default_rng(SEED)
    lengths = generator.geometric(0.01, n // 20)
    states = np.repeat(generator.integers(N_REGIMES, size=len(lengths)), lengths)[:n]
    place = 4.0 * np.eye(N_REGIMES, 12)[states] + generator.standard_normal((len(states), 12))
    mixed = place.astype(np.float32) @ generator.standard_normal((12, EMBEDDING), np.float32)
    return mixed + 0.1 * generator.standard_normal(mixed.shape, np.float32), states


def slow_points(embeddings: NDArray[np.float32], n_regimes: int) -> Floats:
    """Return the points (N, L) that the head clusters."""
    slow = fit_slow_directions(embeddings, WINDOW)
    return slow.whiten(embeddings) @ slow.projection(slow_dimension(n_regimes))


def cluster(points: Floats, n_regimes: int) -> NDArray[np.int64]:
    """Cluster as the head does: a map fitted on landmarks, applied to all, k-means."""
    rows = stratified_rows(len(points), N_LANDMARKS, np.random.default_rng(SEED))
    spectral = fit_spectral_map(points[rows], n_regimes, n_regimes)
    unit = spectral.transform(points)
    fitted = unit[stratified_rows(len(unit), 20_000, np.random.default_rng(SEED))]
    return KMeans(n_regimes, n_init=10, random_state=SEED).fit(fitted).predict(unit)


def median_gamma(points: Floats) -> float:
    """Return one over the median squared distance to the 15th neighbour: one scale for all."""
    sample = points[stratified_rows(len(points), 2000, np.random.default_rng(SEED))]
    centred = sample - sample.mean(axis=0)
    squared = squared_distances(centred, centred)
    return 1.0 / float(np.median(local_bandwidths(squared, neighbour_rank(len(sample))))) ** 2


def compare() -> None:
    """Time both on windows of simulated series, and on made-up embeddings, K given.

    Windows are compared with the state at their centre.
    """
    print("| 10 000 windows | landmarks, s | RBF, s | ratio | ARI between | with the states |")
    print("|---|---|---|---|---|---|")
    simulated = ((f"{kind.upper()}, untrained encoder", *embeddings_of(kind)) for kind in KINDS)
    for name, embeddings, states in (
        *simulated,
        ("chain in 12 dimensions", *embeddings_like(COMPARED)),
    ):
        n_regimes = int(states.max()) + 1
        points = slow_points(embeddings, n_regimes)
        start = time.perf_counter()
        mine = cluster(points, n_regimes)
        middle = time.perf_counter()
        rival = SpectralClustering(n_regimes, gamma=median_gamma(points), random_state=SEED)
        theirs = rival.fit_predict(points)
        end = time.perf_counter()
        ours, others = middle - start, end - middle
        cells = f"{ours:.2f} | {others:.1f} | {others / ours:.0f}"
        between = adjusted_rand_score(theirs, mine)
        truth = " / ".join(f"{adjusted_rand_score(states, each):.2f}" for each in (mine, theirs))
        print(f"| {name} | {cells} | {between:.3f} | {truth} |", flush=True)


def embeddings_of(kind: str) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return untrained embeddings of a simulated series (10 000, 192), and states (10 000,)."""
    from regimetry.fit.rows import cut_windows
    from regimetry.series.units import fit_preprocessing

    series = rg.simulate(kind, n_rows=COMPARED + WINDOW - 1, seed=SEED)
    windows = cut_windows(fit_preprocessing(series.values, series.names), series.values, WINDOW)
    centres = series.states[len(series.states) - len(windows) - WINDOW // 2 :]
    return embed_untrained(windows, SEED), centres[: len(windows)]


def measure(task: str, n: int) -> dict[str, float]:
    """Run one task in a fresh process; seconds, and GiB at its peak."""
    command = [sys.executable, "-m", "benchmarks.scale", "--task", task, "--count", str(n)]
    return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)


def run_task(task: str, n: int) -> None:
    """Run the task here, and print what :func:`measure` reads."""
    if task == "cluster":
        embeddings, _ = embeddings_like(n)
        start = time.perf_counter()
        cluster(slow_points(embeddings, N_REGIMES), N_REGIMES)
    else:
        values = rg.simulate("s2", n_rows=n + WINDOW - 1, seed=SEED).values
        start = time.perf_counter()
        rg.RegimeDetector(n_regimes=N_REGIMES, objective=None, random_state=SEED).fit(values)
    seconds = time.perf_counter() - start
    print(json.dumps({"seconds": seconds, "gib": peak_bytes() / GIB}))


def draw(counts: list[int], found: list[dict[str, float]], path: str) -> None:
    """Draw time and memory against the number of windows."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, both = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    for axes, key, label in zip(both, ("seconds", "gib"), ("seconds", "GiB at peak"), strict=True):
        axes.plot(np.array(counts) / 1000, [entry[key] for entry in found], marker="o")
        axes.set(xlabel="thousand windows", ylabel=label, ylim=0)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Print the tables and draw."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", help="where to draw the growth (.png)")
    parser.add_argument("--fit", action="store_true", help="also fit a whole detector")
    parser.add_argument("--task", choices=["cluster", "fit"], help=argparse.SUPPRESS)
    parser.add_argument("--count", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        run_task(options.task, options.count)
        return
    compare()
    print("\n| windows | seconds | microseconds per window | GiB at peak |\n|---|---|---|---|")
    found = [measure("cluster", n) for n in COUNTS]
    rows = dict(zip([f"{n:,}".replace(",", " ") for n in COUNTS], found, strict=True))
    if options.fit:
        rows["500 000, whole fit"] = measure("fit", COUNTS[-1])
    for name, entry in rows.items():
        count = int(name.split(",")[0].replace(" ", ""))
        each = 1e6 * entry["seconds"] / count
        print(f"| {name} | {entry['seconds']:.1f} | {each:.0f} | {entry['gib']:.2f} |")
    print(f"\n{describe_machine()}")
    if options.image:
        draw(list(COUNTS), found, options.image)


if __name__ == "__main__":
    main()
