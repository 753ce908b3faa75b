"""``regimetry drift``: recent bars against training."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.analysis import Drift, comparable_novelty, detect_drift
from regimetry.analysis.plain import as_text
from regimetry.cli.arguments import MODEL_AND_DATA
from regimetry.cli.labelled_table import regimes_of, rows_and_span
from regimetry.cli.output import show, text_table
from regimetry.cli.verb import Verb, argument, one_of
from regimetry.contract import ModelContract
from regimetry.errors import ConfigError, DataError
from regimetry.runtime.model import load
from regimetry.series.file_options import FileOptions
from regimetry.series.table_files import read_table

VERB = Verb(
    help="do recent bars still look like training?",
    description="Compare recent bars with training: novelty, share of each regime, transition "
    "matrix and dwell times, each by a block bootstrap, with one verdict per line. Give the "
    "training table and a recent table, or one table and --since or --last.",
    examples=[
        "regimetry drift spx.onnx spx.csv new.csv",
        "regimetry drift spx.onnx all.csv --last 250",
        "regimetry drift spx.onnx all.csv --since 2018-01-01 --json",
    ],
    arguments=[
        *MODEL_AND_DATA,
        argument("recent", type=Path, nargs="?", help="table of the recent bars"),
        one_of(
            argument("--since", metavar="TIME", help="time of the first recent bar"),
            argument("--last", type=int, metavar="N", help="the last N bars are recent"),
        ),
        argument(
            "--level",
            type=float,
            default=0.05,
            help="chance of any false alarm (default: %(default)s)",
        ),
        argument(
            "--draws", type=int, default=999, help="draws of the bootstrap (default: %(default)s)"
        ),
        argument("--seed", type=int, default=0, help="seed of the bootstrap (default: 0)"),
    ],
)


def run(options: argparse.Namespace) -> None:
    """Split, label, test, print."""
    model = load(options.model, device=options.device)
    rows = model.rows
    if model.rules.resample is not None:
        raise ConfigError(
            f"The model gathers rows in bins of {model.rules.resample}, and drift compares rows. "
            "Gather both tables first, and use a model that was fitted on such rows."
        )
    training, recent = _past_and_recent(options, rows - 1, model.rules.repeated)
    before, after = comparable_novelty(model.embed(training), model.embed(recent), rows)
    old, old_breaks = _labelled(regimes_of(model, training))
    new, new_breaks = _labelled(regimes_of(model, recent))
    drift = detect_drift(
        old,
        new,
        model.contract.n_regimes,
        training_novelty=before,
        recent_novelty=after,
        training_breaks=old_breaks,
        recent_breaks=new_breaks,
        level=options.level,
        draws=options.draws,
        seed=options.seed,
    )
    past, present = rows_and_span(training.index), rows_and_span(recent.index[rows - 1 :])
    text = (
        f"{_drift_tables(drift, model.contract)}\n\ntraining "
        f"{past['start']} to {past['end']}, recent {present['start']} to {present['end']}; "
        f"blocks of {model.contract.counted(drift.block, '.0f')}, {drift.draws} draws; any false "
        f"alarm: {drift.level:.1%}"
    )
    show(options, {**drift.to_dict(), "training": past, "recent": present}, text)


def _labelled(labels: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return the bars that have a label, one for each window, and which follow no other."""
    at = np.flatnonzero(labels >= 0)
    return labels[at], np.diff(at, prepend=at[:1] - 1) > 1


def _past_and_recent(options: argparse.Namespace, warm_up: int, repeated: str) -> tuple[Any, Any]:
    """Return training and recent rows; recent rows of one table have their warm-up before them."""
    how = FileOptions.of(options, repeated)
    table = read_table(options.data, how).frame
    cuts = options.since is not None or options.last is not None
    if (options.recent is not None) == cuts:
        raise ConfigError(
            "The recent stretch is given twice; name a second table, or --since or --last."
            if cuts
            else "The recent stretch is missing; name a second table, or --since or --last."
        )
    if options.recent is not None:
        return table, read_table(options.recent, how).frame
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


def _drift_tables(drift: Drift, contract: ModelContract) -> str:
    lines = [
        [
            line.name,
            *(
                as_text(value, ".3g")
                for value in (line.statistic, line.typical, line.p_value, line.adjusted)
            ),
            line.verdict,
        ]
        for line in drift.lines
    ]
    header = ["line", "statistic", "95 % without drift", "p", "p, adjusted", "verdict"]
    shares = [
        [
            f"{i} {regime.name}",
            f"{drift.training_share[i]:.1%}",
            f"{drift.recent_share[i]:.1%}",
            f"{drift.training_dwell[i]:.1f}",
            f"{drift.recent_dwell[i]:.1f}",
        ]
        for i, regime in enumerate(contract.regimes)
    ]
    exits = f"{contract.units} per exit, training"
    columns = ["regime", "share, training", "recent", exits, "recent"]
    return text_table(header, lines) + "\n\n" + text_table(columns, shares)
