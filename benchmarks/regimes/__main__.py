"""The command; see the package."""

from __future__ import annotations

import argparse
import sys

from benchmarks.arguments import CHOICES, add_choice, add_run, names_of, seeds
from benchmarks.machine import describe_machine
from benchmarks.regimes.document import command_of, write_section
from benchmarks.regimes.picture import draw
from benchmarks.regimes.problems import PROBLEMS
from benchmarks.regimes.recordings import available
from benchmarks.regimes.results import read_results
from benchmarks.regimes.tables import write_tables
from benchmarks.regimes.unit import TASKS
from benchmarks.regimes.work import plan, run_all
from benchmarks.rivals.registry import METHODS

PACKAGES = ("scikit-learn", "hmmlearn", "jumpmodels")


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; return 1 if a fit failed."""
    options = _parser().parse_args(arguments)
    recordings = available() if options.recordings else ()
    units = plan(
        options.methods,
        options.simulators,
        options.seeds,
        options.tasks,
        choices=CHOICES[options.n_regimes],
        recordings=recordings,
    )
    failures = run_all(units, options.output, options.jobs)
    table = read_results(units, options.output)
    text = write_tables(table, options.tasks)
    command = command_of("regimes", arguments)
    text += f"\n`{command}`\n\n{describe_machine(PACKAGES)}\n"
    (options.output / "regimes.md").write_text(text)
    draw(table, options.tasks, options.output / "regimes.png")
    if options.write is not None:
        write_section(options.write, options.section, text)
    print(text)
    print("\n".join(failures), file=sys.stderr)
    return int(bool(failures))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.regimes", description=__doc__)
    parser.add_argument(
        "--seeds", type=seeds, default=seeds("10-14"), help="such as 10-14 or 0,3 (default 10-14)"
    )
    parser.add_argument(
        "--simulators",
        type=names_of(PROBLEMS),
        default=list(PROBLEMS),
        help=f"of {', '.join(PROBLEMS)}; all by default",
    )
    parser.add_argument(
        "--methods",
        type=names_of(METHODS),
        default=list(METHODS),
        help=f"of {', '.join(METHODS)}; all by default; pairs are of the first and each other",
    )
    parser.add_argument(
        "--tasks", type=names_of(TASKS), default=list(TASKS), help=f"of {', '.join(TASKS)}"
    )
    add_choice(parser)
    parser.add_argument(
        "--no-recordings",
        dest="recordings",
        action="store_false",
        help="leave out the recordings, which run when REGIMETRY_DATA is set",
    )
    add_run(parser, "regimes")
    return parser


if __name__ == "__main__":
    sys.exit(main())
