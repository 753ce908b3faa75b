"""``regimetry drift``: recent bars against training."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regimetry.cli.arguments import add_json, add_model_and_data

if TYPE_CHECKING:
    from regimetry.analysis import Drift


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "drift",
        help="do recent bars still look like training?",
        description="Compare recent bars with training: novelty, share of each regime, "
        "transition matrix and dwell times, each by a block bootstrap, with one verdict per line. "
        "Give the training table and a recent table, or one table and --since or --last.",
        examples=[
            "regimetry drift spx.onnx spx.csv new.csv",
            "regimetry drift spx.onnx all.csv --last 250",
            "regimetry drift spx.onnx all.csv --since 2018-01-01 --json",
        ],
    )
    add_model_and_data(parser)
    parser.add_argument("recent", type=Path, nargs="?", help="table of the recent bars")
    cut = parser.add_mutually_exclusive_group()
    cut.add_argument("--since", metavar="TIME", help="time of the first recent bar")
    cut.add_argument("--last", type=int, metavar="N", help="the last N bars are recent")
    parser.add_argument(
        "--level",
        type=float,
        default=0.05,
        help="chance of any false alarm (default: %(default)s)",
    )
    parser.add_argument(
        "--draws", type=int, default=999, help="draws of the bootstrap (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap (default: 0)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Split, label, test, print."""
    from regimetry.analysis import comparable_novelty, detect_drift
    from regimetry.cli.labelling import label_table, span
    from regimetry.cli.output import print_json
    from regimetry.runtime.model import load

    model = load(options.model, device=options.device)
    rows = model.rows
    training, recent = _stretches(options, rows - 1)
    before, after = comparable_novelty(model.embed(training), model.embed(recent), rows)
    drift = detect_drift(
        label_table(model, training).labels[rows - 1 :],
        label_table(model, recent).labels[rows - 1 :],
        model.contract.n_regimes,
        training_novelty=before,
        recent_novelty=after,
        level=options.level,
        draws=options.draws,
        seed=options.seed,
    )
    spans = {"training": span(training.index), "recent": span(recent.index[rows - 1 :])}
    if options.json:
        print_json({**drift.to_dict(), **spans})
    else:
        print(_tables(drift, [regime.name for regime in model.contract.regimes]))
        print(
            f"\ntraining {spans['training']['start']} to {spans['training']['end']}, recent "
            f"{spans['recent']['start']} to {spans['recent']['end']}; blocks of {drift.block:.0f} "
            f"bars, {drift.draws} draws; any false alarm: {drift.level:.1%}"
        )


def _stretches(options: argparse.Namespace, warm_up: int) -> tuple[Any, Any]:
    """Return training and recent rows; recent rows of one table have their warm-up before them."""
    from regimetry.errors import ConfigError, DataError
    from regimetry.series.table_files import read_table

    table = read_table(options.data, time_column=options.time_column)
    cuts = options.since is not None or options.last is not None
    if (options.recent is not None) == cuts:
        raise ConfigError(
            "The recent stretch is given twice; name a second table, or --since or --last."
            if cuts
            else "The recent stretch is missing; name a second table, or --since or --last."
        )
    if options.recent is not None:
        return table, read_table(options.recent, time_column=options.time_column)
    row = _first_row(table.index, options)
    if row >= len(table):
        raise DataError(
            f"There is no bar since {options.since}; the table ends with {table.index[-1]}. "
            "Choose an earlier time."
        )
    if row <= warm_up:
        raise DataError(
            f"The recent stretch begins with row {row}, which leaves no training before it. "
            "Choose a later start."
        )
    # Windows of the first recent bars would hold training bars: those bars only warm up.
    return table.iloc[:row], table.iloc[row:]


def _first_row(index: Any, options: argparse.Namespace) -> int:
    import pandas as pd

    from regimetry.errors import ConfigError

    if options.last is not None:
        if options.last < 1:
            raise ConfigError(f"last is {options.last}; it must be an integer of at least 1.")
        return max(len(index) - options.last, 0)
    try:
        since: Any = (
            pd.Timestamp(options.since)
            if isinstance(index, pd.DatetimeIndex)
            else float(options.since)
        )
        return int(index.searchsorted(since))
    except (TypeError, ValueError) as error:
        kind = "a date or time" if isinstance(index, pd.DatetimeIndex) else "a number"
        raise ConfigError(f"since is {options.since!r}; it must be {kind}.") from error


def _tables(drift: Drift, regimes: list[str]) -> str:
    from regimetry.cli.output import text_table

    def number(value: float) -> str:
        return "" if math.isnan(value) else f"{value:.3g}"

    lines = [
        [
            line.name,
            *map(number, (line.statistic, line.typical, line.p_value, line.adjusted)),
            line.verdict,
        ]
        for line in drift.lines
    ]
    header = ["line", "statistic", "95 % without drift", "p", "p, adjusted", "verdict"]
    shares = [
        [
            f"{i} {name}",
            f"{drift.training_share[i]:.1%}",
            f"{drift.recent_share[i]:.1%}",
            f"{drift.training_dwell[i]:.1f}",
            f"{drift.recent_dwell[i]:.1f}",
        ]
        for i, name in enumerate(regimes)
    ]
    columns = ["regime", "share, training", "recent", "bars per exit, training", "recent"]
    return text_table(header, lines) + "\n\n" + text_table(columns, shares)
