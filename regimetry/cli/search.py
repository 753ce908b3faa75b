"""``regimetry search``: which configuration suits a table."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regimetry.cli.arguments import add_json
from regimetry.cli.flags import add_config, add_flags, given

if TYPE_CHECKING:
    from regimetry.configuration import Configuration
    from regimetry.search.grid import Grid
    from regimetry.search.store import Store


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "search",
        help="try configurations and rank them",
        description="Fit every configuration of a grid on each half of a table and rank them by "
        "the mean of three ranks: stability (do both halves find the same regimes?), separation "
        "(are the windows of a regime close together?) and predictability (does the present regime "
        "predict a later one, out of sample?). Write the table and the best configuration. The "
        "same command continues a search that was stopped.",
        examples=[
            "regimetry search spx.csv --window-size 10,20,30 --n-regimes 2-6 --jobs 2 -o search",
            "regimetry search spx.csv --config run.yaml --objective none,masked -o search",
            "regimetry search spx.csv --window-size 5-60 --n-regimes 2-8 --trials 40 -o search",
            "regimetry fit spx.csv --config search/best.yaml -o spx.onnx",
        ],
    )
    parser.add_argument("data", type=Path, help="table (.csv or .parquet)")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="folder (default: NAME-search)"
    )
    add_config(parser)
    parser.add_argument(
        "--trials",
        type=int,
        metavar="N",
        help="let Optuna choose N configurations of the grid (default: all of it)",
    )
    parser.add_argument(
        "--jobs", type=int, metavar="N", help="worker processes (default: one per CPU, at most 4)"
    )
    parser.add_argument(
        "--restart", action="store_true", help="start again if the folder has another search"
    )
    add_json(parser)
    add_flags(
        parser, "one value for all, or several to choose from: 10,20,30, 2-6, none,masked", _values
    )
    parser.set_defaults(run=run)


def _values(name: str, text: str) -> list[Any]:
    """Read the values of one field: 10,20,30 or 2-6."""
    from regimetry.search.grid import values_of

    return values_of(name, text)


def run(options: argparse.Namespace) -> None:
    """Search, rank, write, print."""
    from regimetry.cli.output import note, print_json
    from regimetry.configuration.reading import resolve
    from regimetry.parameters import require_integer
    from regimetry.runtime.threads import available_threads
    from regimetry.search.choice import Choice, Everything, Sampled
    from regimetry.search.grid import checked_grid, grid_size, horizon_of
    from regimetry.search.ranking import ranked
    from regimetry.search.run import run_search
    from regimetry.search.store import Store
    from regimetry.series.table_files import read_table

    jobs = min(4, available_threads()) if options.jobs is None else options.jobs
    require_integer("--jobs", jobs, 1)
    base = resolve(options.config, {})
    base, grid = _split(base, given(options))
    grid = checked_grid(base, grid)
    size = grid_size(grid)
    if options.trials is not None:
        require_integer("--trials", options.trials, 1)
        size = min(size, options.trials)
    table = read_table(options.data, time_column=base.time_column)
    horizon = horizon_of(base, grid, len(table))
    folder = options.output or Path(f"{options.data.stem}-search")
    store = Store(folder, _what(options.data, base, grid, horizon), restart=options.restart)
    done = store.done()
    if done:
        note(f"{len(done)} of {size} configurations are done already")
    choice: Choice = (
        Everything(grid, done)
        if options.trials is None
        else Sampled(grid, done, n_trials=options.trials, seed=base.seed)
    )
    with _progress(size, len(done)) as advance:
        run_search(options.data, base, choice, store, horizon=horizon, jobs=jobs, advance=advance)
    trials = ranked(list(store.done().values()))
    best = _write(store, base, grid, trials)
    if options.json:
        print_json(
            {
                "folder": str(folder),
                "horizon": horizon,
                "best": None if best is None else trials[0],
                "trials": trials,
            }
        )
    else:
        print(_table(trials, list(grid)))
        print(f"\n{folder}: table.csv" + ("" if best is None else " and best.yaml"))
    _require_one(trials)


def _split(base: Configuration, flags: Mapping[str, list[Any]]) -> tuple[Configuration, Grid]:
    """Set what has one value for all; return what is left to choose from."""
    from regimetry.search.grid import at

    single = {name: values[0] for name, values in flags.items() if len(values) == 1}
    return at(base, single), {name: values for name, values in flags.items() if name not in single}


def _what(data: Path, base: Configuration, grid: Grid, horizon: int) -> dict[str, Any]:
    """Return what the trials of a search depend on."""
    from importlib.metadata import version

    from regimetry.configuration.writing import plain
    from regimetry.search.store import fingerprint_of

    return {
        "version": version("regimetry"),
        "data": fingerprint_of(data),
        "configuration": {name: value for name, value in plain(base).items() if name not in grid},
        "grid": grid,
        "horizon": horizon,
    }


@contextmanager
def _progress(size: int, done: int) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    from regimetry.cli.progress import progress

    with progress(size, "search", "fit", done=done, after_s=0) as advance:
        yield lambda trial: advance(1)


def _write(
    store: Store, base: Configuration, grid: Grid, trials: list[dict[str, Any]]
) -> Configuration | None:
    """Write the table and, if any configuration could be scored, the best one."""
    from regimetry.configuration.writing import as_yaml
    from regimetry.search.grid import at
    from regimetry.search.ranking import CRITERIA

    store.write_table(trials, list(grid))
    if not trials[0].get("scores"):
        return None
    best = at(base, trials[0]["point"])
    scores = {name: trials[0]["scores"][name] for name in CRITERIA}
    heading = f"The best of {len(trials)} configurations by the mean of three ranks:\n" + ", ".join(
        f"{name} {value:.3f}" for name, value in scores.items()
    )
    store.write_best(as_yaml(best, heading=heading))
    return best


def _table(trials: list[dict[str, Any]], names: list[str]) -> str:
    from regimetry.cli.output import text_table
    from regimetry.search.ranking import CRITERIA

    header = ["rank", *names, *CRITERIA, "regimes"]
    rows = [
        [
            f"{trial['rank']:.2f}",
            *(str(trial["point"][name]) for name in names),
            *(f"{trial['scores'][name]:.3f}" for name in CRITERIA),
            " ".join(map(str, trial["scores"]["n_regimes"])),
        ]
        for trial in trials
        if trial.get("scores")
    ]
    failures = [
        ", ".join(f"{name} {value}" for name, value in trial["point"].items())
        + f": {trial['failure']}"
        for trial in trials
        if not trial.get("scores")
    ]
    return "\n".join([text_table(header, rows), *failures])


def _require_one(trials: list[dict[str, Any]]) -> None:
    from regimetry.errors import RegimetryError

    if not trials[0].get("scores"):
        raise RegimetryError(
            f"None of {len(trials)} configurations could be scored. The first: "
            f"{trials[0]['failure']}"
        )
