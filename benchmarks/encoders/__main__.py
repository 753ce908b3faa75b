"""The command; see the package."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.arguments import CHOICES, add_choice, add_run, names_of, seeds
from benchmarks.encoders.features import NAMES
from benchmarks.encoders.sets import SETS, SIMULATORS, TASKS, series_of
from benchmarks.encoders.tables import write_tables
from benchmarks.encoders.ticks import SIZES, time_ticks
from benchmarks.encoders.work import plan, read_results, refusals, run_all, table_of
from benchmarks.machine import describe_machine
from benchmarks.regimes.document import command_of, write_section
from regimetry.encoder.pretraining.config import PretrainedEncoder


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print its tables; return 1 if a fit failed."""
    options = _parser().parse_args(arguments)
    ticks = {}
    if options.ticks:  # before the fits, which would share the machine
        sizes = SIZES if options.window is None else (options.window,)
        ticks = time_ticks(options.features, options.weights, sizes)
    series = [
        one
        for name in options.sets
        for one in series_of(name, tuple(options.seeds), options.every)
        if name != "simulators" or one.name in options.simulators
    ]
    units = plan(
        options.features,
        series,
        options.tasks,
        CHOICES[options.n_regimes],
        bars=options.bars,
        window_size=options.window,
        weights=options.weights,
    )
    failures = run_all(units, options.output, options.jobs)
    results = read_results(units, options.output)
    weights = PretrainedEncoder(options.weights).weights
    text = write_tables(table_of(results), ticks, weights.card["without"])
    text += "".join(f"\n{line}\n" for line in refusals(results))
    command = command_of("encoders", arguments)
    text += f"\n`{command}`, weights {weights.sum[:12]}\n\n{describe_machine(('scikit-learn',))}\n"
    (options.output / "encoders.md").write_text(text)
    if options.write is not None:
        write_section(options.write, options.section, text)
    print(text)
    print("\n".join(failures), file=sys.stderr)
    return int(bool(failures))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.encoders", description=__doc__)
    parser.add_argument("--features", type=names_of(NAMES), default=list(NAMES), help=_all(NAMES))
    parser.add_argument("--sets", type=names_of(SETS), default=list(SETS), help=_all(SETS))
    parser.add_argument(
        "--simulators", type=names_of(SIMULATORS), default=list(SIMULATORS), help=_all(SIMULATORS)
    )
    parser.add_argument("--tasks", type=names_of(TASKS), default=list(TASKS), help=_all(TASKS))
    parser.add_argument(
        "--seeds",
        type=seeds,
        default=seeds("100-104"),
        help="of what is made, such as 100-104 (the default: nothing was chosen on them) or 0,3",
    )
    parser.add_argument("--every", type=int, default=1, help="take every nth recording of a set")
    add_choice(parser)
    parser.add_argument("--window", type=int, help="W; without it the product chooses")
    parser.add_argument("--bars", action="store_true", help="also with evidence of single bars")
    parser.add_argument(
        "--weights", type=Path, help="of a pretraining (.npz); without it the built-in ones"
    )
    parser.add_argument(
        "--no-ticks", dest="ticks", action="store_false", help="do not time single windows"
    )
    add_run(parser, "encoders")
    return parser


def _all(names: tuple[str, ...]) -> str:
    return f"of {', '.join(names)}; all by default"


if __name__ == "__main__":
    sys.exit(main())
