"""Many instruments, Parquet to Parquet: ``python -m benchmarks.panel``.

Fits a model of eight features in a process of its own, writes panels, and measures each figure in a
fresh process: the main panel against a bare onnxruntime loop on the same cores, in turns; Ray on
two local actors against twice one process of one thread; growth with the number of bars. Then fits
the cost model of ``docs/scaling.md`` to these and prints its table.

    --instruments, --bars   the main panel (1000, 2500)
    --rounds                how often the main panel is labelled (3)
    --growth                bars in all, one panel each (100000,1000000,10000000)
    --only                  main, ray, growth, cost (all)
    --image FILE            where to draw the growth (.png)
"""

import argparse
import shutil
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.machine import describe_machine
from benchmarks.panel_tasks import run

FILES = 16
BARS = 2500
PARTS = ("main", "ray", "growth", "cost")

NETWORK = 10e9 / 8
"""Bytes a second of a machine's network: 10 Gbit/s."""

STORE = 20e9
"""Bytes a second of the store that all machines read and write."""


def main_panel(
    folder: Path, model: Path, instruments: int, bars: int, *, threads: int, rounds: int
) -> None:
    """Print throughput and memory of the main panel, in turns with the bare loop.

    A machine's speed changes within a minute, and short bursts may run faster: each round is
    compared with the loops around it, which run as many windows.
    """
    run("write", folder / "in", instruments, bars, FILES)
    windows = instruments * bars
    print(
        "\n| bare loop before | Parquet to Parquet | bare loop after | of the bare loop |", end=""
    )
    print(" GiB at peak |\n|---|---|---|---|---|")
    before, shares = rate(run("bare", model, windows, threads)), []
    for number in range(rounds):
        found = run("predict", folder / "in", model, folder / f"out{number}", threads)
        after = rate(run("bare", model, windows, threads))
        shares.append(rate(found) / statistics.mean([before, after]))
        print(
            f"| {before:.0f} | {rate(found):.0f} | {after:.0f} | {shares[-1]:.1%} | "
            f"{found['gib']:.2f} |",
            flush=True,
        )
        before = after
    print(
        f"\n{instruments} instruments x {bars} bars, rows per second on {threads} threads. "
        f"Median of {rounds} rounds: {statistics.median(shares):.1%} of the bare loop."
    )


def ray_panel(folder: Path, model: Path, instruments: int, bars: int) -> None:
    """Print the rate of two actors, and of one process of one thread before and after."""
    run("write", folder / "in", instruments, bars, 40)
    alone = [run("predict", folder / "in", model, folder / "a", 1)]
    found = run("on_ray", folder / "in", model, folder / "ray", 2)
    alone.append(run("predict", folder / "in", model, folder / "b", 1))
    once = [rate(entry) for entry in alone]
    print("\n| Ray | rows per second |\n|---|---|")
    print(f"| one process of one thread, before and after | {once[0]:.0f}, {once[1]:.0f} |")
    print(f"| two actors, after {found['start_up']:.1f} s of starting up | {rate(found):.0f} |")
    print(f"\n{rate(found) / (2 * statistics.mean(once)):.1%} of twice one process.")


def growth(folder: Path, model: Path, sizes: list[int], threads: int) -> list[dict[str, Any]]:
    """Print and return seconds and memory for each number of bars."""
    print("\n| bars | seconds | microseconds per bar | GiB at peak |\n|---|---|---|---|")
    found = []
    for size in sizes:
        place = folder / str(size)
        run("write", place / "in", max(1, size // BARS), BARS, max(1, min(FILES, size // BARS)))
        entry = run("predict", place / "in", model, place / "out", threads)
        shutil.rmtree(place)
        found.append(entry)
        each = 1e6 * entry["seconds"] / entry["rows"]
        print(
            f"| {entry['rows']} | {entry['seconds']:.1f} | {each:.1f} | {entry['gib']:.2f} |",
            flush=True,
        )
    logs = [np.log([entry[key] for entry in found]) for key in ("rows", "seconds")]
    if len(sizes) > 1:
        print(f"\nSeconds grow as bars to the power {np.polyfit(*logs, 1)[0]:.3f}.")
    return found


@dataclass(frozen=True)
class Cost:
    """What a bar costs.

    Attributes
    ----------
    compute, read : float
        Seconds of one core.
    names : float
        Seconds to look at a bar's instrument once, where a column names it; one process does it.
    file : float
        Seconds to look at a file; one process does it.
    bytes_in, bytes_out : float
    """

    compute: float
    read: float
    names: float
    file: float
    bytes_in: float
    bytes_out: float


def measure_cost(folder: Path, model: Path, instruments: int, bars: int) -> Cost:
    """Fit the cost model to a panel of a few files and to one of many."""
    run("write", folder / "few" / "in", instruments, bars, 4)
    run("write", folder / "many" / "in", 1000, 20, 1000)
    run("write", folder / "long" / "in", 1000, bars, 4)
    few, many = (run("read", folder / kind / "in", model) for kind in ("long", "many"))
    label = run("predict", folder / "few" / "in", model, folder / "few" / "out", 1)
    # Scans are linear in files and rows: two equations.
    left = np.array([[entry["files"], entry["rows"]] for entry in (few, many)])
    file, name = np.linalg.solve(left, [few["scan"], many["scan"]])
    sizes = [
        sum(path.stat().st_size for path in (folder / "few" / kind).glob("*.parquet"))
        for kind in ("in", "out")
    ]
    return Cost(
        label["seconds"] / label["rows"],
        few["read"] / few["rows"],
        name,
        file,
        *(size / label["rows"] for size in sizes),
    )


def print_cost(cost: Cost) -> None:
    """Print the cost model, and its forecast for more bars."""
    print("\n| cost of a bar | |\n|---|---|")
    print(f"| time of one core | {1e6 * cost.compute:.1f} us |")
    print(f"| of this, reading it | {1e6 * cost.read:.2f} us |")
    print(f"| scanning its instrument before | {1e9 * cost.names:.0f} ns |")
    print(f"| bytes in, bytes out | {cost.bytes_in:.0f}, {cost.bytes_out:.0f} |")
    print(f"\nScanning a file takes {1e3 * cost.file:.2f} ms.")
    print("\n| bars | machines x cores | hours | scan, hours | network of a machine | store |")
    print("|---|---|---|---|---|---|")
    for bars, machines, cores in ((1e6, 1, 2), (1e9, 4, 32), (1e12, 250, 64)):
        seconds = bars * cost.compute / (machines * cores)
        scan = bars * cost.names + bars / 4e6 * cost.file
        flow = bars * (cost.bytes_in + cost.bytes_out) / seconds
        print(
            f"| {bars:.0e} | {machines} x {cores} | {seconds / 3600:.3g} | {scan / 3600:.2g} | "
            f"{flow / machines / NETWORK:.1%} | {flow / STORE:.1%} |"
        )


def rate(entry: dict[str, Any]) -> float:
    """Return rows per second."""
    return entry["rows"] / entry["seconds"]


def draw(found: list[dict[str, Any]], path: str) -> None:
    """Draw seconds and memory against bars."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    bars = np.array([entry["rows"] for entry in found])
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
    left.loglog(bars, [entry["seconds"] for entry in found], marker="o")
    left.loglog(bars, found[-1]["seconds"] * bars / bars[-1], "--", color="grey", label="linear")
    left.set(xlabel="bars", ylabel="seconds")
    left.legend()
    right.semilogx(bars, [entry["gib"] for entry in found], marker="o")
    right.set(xlabel="bars", ylabel="GiB at peak", ylim=0)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def main() -> None:
    """Measure the requested parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instruments", type=int, default=1000)
    parser.add_argument("--bars", type=int, default=BARS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--growth", default="100000,1000000,10000000")
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--image")
    options = parser.parse_args()
    only = options.only.split(",")
    with tempfile.TemporaryDirectory() as temporary:
        folder, model = Path(temporary), Path(temporary) / "panel.onnx"
        run("fit", model)
        instruments, bars = options.instruments, options.bars
        if "main" in only:
            main_panel(
                folder / "main",
                model,
                instruments,
                bars,
                threads=options.threads,
                rounds=options.rounds,
            )
        if "ray" in only:
            ray_panel(folder / "ray", model, max(40, instruments // 4), bars)
        if "growth" in only:
            sizes = [int(float(size)) for size in options.growth.split(",")]
            found = growth(folder / "growth", model, sizes, options.threads)
            if options.image:
                draw(found, options.image)
        if "cost" in only:
            print_cost(measure_cost(folder / "cost", model, max(4, instruments // 5), bars))
    print(f"\n{describe_machine(('pyarrow', 'ray'))}")


if __name__ == "__main__":
    main()
