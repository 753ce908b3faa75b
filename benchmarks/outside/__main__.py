"""The command; see the package."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.arguments import add_run, names_of, seeds
from benchmarks.machine import THREADS, describe_machine
from benchmarks.outside.sets import SETS, Series, series_of
from benchmarks.outside.tables import draw, misses, row, table
from benchmarks.outside.unit import Unit
from benchmarks.regimes.document import command_of, write_section
from regimetry.regimes.choice.candidates import sizes_for


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print its table."""
    options = _parser().parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    lines, everything = [], []
    context = get_context("spawn")
    with ProcessPoolExecutor(options.jobs, mp_context=context) as pool:
        for name in options.sets:
            series = series_of(name, tuple(options.seeds))[:: options.every]
            if not series:
                continue
            chosen = list(_run(pool, [Unit(one) for one in series], options.output))
            given: list[dict[str, Any]] = []
            best: list[float] = []
            if options.losses and name not in ("nulls", "toys without"):
                given = list(_run(pool, [Unit(one, True) for one in series], options.output))
                best = _best(pool, series, options.output)
            lines.append(row(name, chosen, given, best))
            everything += chosen
            print(table(lines), flush=True)
    command = command_of("outside", arguments)
    text = f"{table(lines)}\n\n`{command}`\n\n{describe_machine(('scikit-learn',))}\n"
    (options.output / "outside.md").write_text(text)
    draw(everything, options.output / "outside.png")
    if options.write is not None:
        write_section(options.write, options.section, text)
    print(text + misses(everything))
    return 0


def _run(
    pool: ProcessPoolExecutor, units: Sequence[Unit], folder: Path
) -> Iterator[dict[str, Any]]:
    """Yield the results of units, each with what it is of."""
    found = pool.map(Unit.run, units, [folder] * len(units))
    progress = tqdm(found, units[0].series.set, len(units), file=sys.stderr)
    for unit, result in zip(units, progress, strict=True):
        yield {**result, **vars(unit.series)}


def _best(pool: ProcessPoolExecutor, series: Sequence[Series], folder: Path) -> list[float]:
    """Return the AMI of each series with K given and the best of all window sizes."""
    owners, units = [], []
    for number, one in enumerate(series):
        for size in sizes_for(len(one.load()[1])):
            owners.append(number)
            units.append(Unit(one, True, size))
    scores = np.array([result["ami"] for result in _run(pool, units, folder)])
    return [float(scores[np.array(owners) == i].max()) for i in range(len(series))]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outside", description=__doc__)
    parser.add_argument("--sets", type=names_of(SETS), default=list(SETS), help=", ".join(SETS))
    parser.add_argument(
        "--seeds",
        type=seeds,
        default=seeds("0-4"),
        help="of what is made: 0 to 4 tune (the default), 60 and above confirm",
    )
    parser.add_argument("--every", type=int, default=1, help="take every nth series of a set")
    parser.add_argument(
        "--losses", action="store_true", help="also with K given, and with the best window"
    )
    add_run(parser, "outside")
    return parser


if __name__ == "__main__":
    sys.exit(main())
