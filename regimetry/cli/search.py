"""``regimetry search``: which configuration suits a table."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from regimetry.cli.arguments import CONFIG, output
from regimetry.cli.flags import add_flags, given
from regimetry.cli.output import note, show, text_table
from regimetry.cli.progress import progress
from regimetry.cli.verb import Verb, argument, flag
from regimetry.configuration import Configuration
from regimetry.configuration.reading import resolve
from regimetry.configuration.writing import as_yaml, plain_fields
from regimetry.errors import ConfigError, RegimetryError
from regimetry.parameters import require_integer
from regimetry.runtime.threads import available_threads
from regimetry.search.choice import choose_points
from regimetry.search.grid import Grid, at, checked_grid, grid_size, horizon_of, values_of
from regimetry.search.ranking import CRITERIA, ranked
from regimetry.search.run import run_search
from regimetry.search.store import Store, fingerprint_of
from regimetry.series.file_options import STANDARD, FileOptions
from regimetry.series.table_files import read_table

VERB = Verb(
    help="try configurations and rank them",
    description="Fit every configuration of a grid on each half of a table and rank them by the "
    "mean of three ranks: stability (do both halves find the same regimes?), separation (are the "
    "windows of a regime close together?) and predictability (does the present regime predict a "
    "later one, out of sample?). Write the table and the best configuration. The same command "
    "continues a search that was stopped.",
    examples=[
        "regimetry search spx.csv --window-size 10,20,30 --n-regimes 2-6 --jobs 2 -o search",
        "regimetry search spx.csv --config run.yaml --objective none,masked -o search",
        "regimetry search spx.csv --window-size 5-60 --n-regimes 2-8 --trials 40 -o search",
        "regimetry fit spx.csv --config search/best.yaml -o spx.onnx",
    ],
    arguments=[
        argument("data", type=Path, help="table (.csv, .tsv, .txt, .parquet)"),
        output("folder (default: NAME-search)", required=False, metavar="DIR"),
        CONFIG,
        argument(
            "--trials",
            type=int,
            metavar="N",
            help="let Optuna choose N configurations of the grid (default: all of it)",
        ),
        argument(
            "--jobs",
            type=int,
            metavar="N",
            help="worker processes (default: one per CPU, at most 4)",
        ),
        flag("--restart", "start again if the folder has another search"),
        partial(
            add_flags,
            description="one value for all, or several to choose from: 10,20,30, 2-6, none,masked",
            read=values_of,
        ),
    ],
)


def run(options: argparse.Namespace) -> None:
    """Search, rank, write, print."""
    jobs = min(4, available_threads()) if options.jobs is None else options.jobs
    require_integer("--jobs", jobs, 1)
    flags = given(options)
    single = {name: values[0] for name, values in flags.items() if len(values) == 1}
    base = at(resolve(options.config, {}), single)
    grid = {name: values for name, values in flags.items() if name not in single}
    grid = checked_grid(base, grid)
    size = grid_size(grid)
    if options.trials is not None:
        require_integer("--trials", options.trials, 1)
        size = min(size, options.trials)
    if options.data == STANDARD:
        raise ConfigError("A search reads its table many times; name a file.")
    table = read_table(options.data, FileOptions.of(base))
    horizon = horizon_of(base, grid, len(table.frame))
    folder = options.output or Path(f"{options.data.stem}-search")
    store = Store(folder, _what(options.data, base, grid, horizon), restart=options.restart)
    done = store.done()
    if done:
        note(f"{len(done)} of {size} configurations are done already")
    points, learn = choose_points(grid, done, n_trials=options.trials, seed=base.seed)
    with progress(size, "search", "fit", done=len(done), after_s=0) as advance:

        def tell(trial: Mapping[str, Any]) -> None:
            learn(trial)
            advance(1)

        run_search(options.data, base, points, store, horizon=horizon, jobs=jobs, tell=tell)
    trials = ranked(list(store.done().values()))
    store.write_table(trials, list(grid))
    best = trials[0] if trials[0].get("scores") else None
    if best is not None:
        _write_best(store, base, best, len(trials))
    show(
        options,
        {"folder": str(folder), "horizon": horizon, "best": best, "trials": trials},
        f"{_ranking(trials, list(grid))}\n\n{folder}: table.csv{' and best.yaml' if best else ''}",
    )
    if best is None:
        raise RegimetryError(
            f"None of {len(trials)} configurations could be scored. The first: "
            f"{trials[0]['failure']}"
        )


def _what(data: Path, base: Configuration, grid: Grid, horizon: int) -> dict[str, Any]:
    """Return what the trials of a search depend on."""
    from importlib.metadata import version

    return {
        "version": version("regimetry"),
        "data": fingerprint_of(data),
        "configuration": {
            name: value for name, value in plain_fields(base).items() if name not in grid
        },
        "grid": grid,
        "horizon": horizon,
    }


def _write_best(store: Store, base: Configuration, best: Mapping[str, Any], n_trials: int) -> None:
    scores = ", ".join(f"{name} {best['scores'][name]:.3f}" for name in CRITERIA)
    heading = f"The best of {n_trials} configurations by the mean of three ranks:\n{scores}"
    store.write_best(as_yaml(at(base, best["point"]), heading=heading))


def _ranking(trials: list[dict[str, Any]], names: list[str]) -> str:
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
