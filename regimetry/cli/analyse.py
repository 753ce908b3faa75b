"""``regimetry analyse``: what the regimes of a table are like, and what comes next."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from regimetry.analysis import (
    Performance,
    analyse_labels,
    conditional_statistics,
    decision_table,
    novelty_alarms,
    performances,
)
from regimetry.analysis.metadata import regime_metadata
from regimetry.analysis.price import find_price
from regimetry.cli.analysis_tables import analysis_text
from regimetry.cli.arguments import BARS_PER_YEAR, MODEL_AND_DATA, READING, names, output
from regimetry.cli.labelled_table import label_table, rows_and_span
from regimetry.cli.output import note, show
from regimetry.cli.verb import Verb, argument
from regimetry.errors import DataError
from regimetry.files import replacing, require_writable
from regimetry.runtime.model import Labelling
from regimetry.series.table_files import write_table

DECISIONS = "decisions.csv"
METADATA = "regimes.json"

VERB = Verb(
    help="statistics of the regimes of a table",
    description="Label a table causally and describe its regimes: dwell times, transitions with "
    "intervals, the long run, what comes next, performance of the price, statistics of any "
    f"column. With -o, write {DECISIONS} (a row for each, for a strategy) and {METADATA}.",
    examples=[
        "regimetry analyse spx.onnx spx.csv --price close --columns range -o out",
        "regimetry analyse spx.onnx minutes.csv --max-gap 1h --bars-per-year 98280 --json",
    ],
    arguments=[
        *MODEL_AND_DATA,
        argument(
            "--price",
            metavar="NAME",
            help="column of prices (default: close or price, if there is one)",
        ),
        BARS_PER_YEAR,
        argument(
            "--columns",
            type=names,
            default=[],
            metavar="A,B",
            help="describe these columns as well",
        ),
        READING,
        output("folder to write to; created if needed", required=False, metavar="DIR"),
    ],
)


def run(options: argparse.Namespace) -> None:
    """Label, describe, write, print."""
    folder = options.output
    if folder is not None:
        _require_folder(folder)
    model, read, found, breaks = label_table(options)
    table = read.frame
    contract, labels = model.contract, found.regime
    n_regimes = contract.n_regimes
    analysis = analyse_labels(labels, n_regimes, probability=found.probability, breaks=breaks)
    price = _price(table, options.price)
    by_timing: dict[str, Performance] = {}
    if price is not None:
        by_timing = performances(
            labels,
            table[price].to_numpy(dtype=float),
            n_regimes,
            bars_per_year=options.bars_per_year,
            breaks=breaks,
        )
    columns = {
        name: conditional_statistics(labels, _column(table, name), n_regimes)
        for name in options.columns
    }
    data = {"file": options.data.name, "price": price, **rows_and_span(table.index)}
    alarms = novelty_alarms(found.novel, labels, breaks=breaks, times=table.index.to_numpy())
    metadata = regime_metadata(
        contract, analysis, data=data, performances=by_timing, columns=columns, alarms=alarms
    )
    text = analysis_text(contract, analysis, by_timing, columns, table.index)
    text += f"\nnovelty       {alarms.words(contract.unit)}"
    if folder is not None:
        decisions = _decisions(model, table.index, found, breaks)
        _write(folder, metadata, read.written(decisions))
        text += f"\n\n{folder}: {DECISIONS}, {len(table)} rows, and {METADATA}"
    show(options, metadata, text)


def _require_folder(path: Path) -> None:
    if path.exists() and not path.is_dir():
        raise DataError(f"{path} is a file; -o names a folder.")
    require_writable(path / DECISIONS if path.is_dir() else path)


def _price(table: Any, asked: str | None) -> str | None:
    """Find the price; without one, say so and go on, unless it was asked for."""
    columns = {str(name): table[name].to_numpy() for name in table.columns}
    try:
        return find_price(columns, asked)
    except DataError as error:
        if asked is not None:
            raise
        note(f"no performance: {error}")
        return None


def _column(table: Any, name: str) -> Any:
    if name not in table.columns or table[name].dtype.kind not in "fiub":
        raise DataError(
            f"There is no column of numbers {name!r}; the columns are "
            f"{', '.join(map(str, table.columns))}."
        )
    return table[name].to_numpy(dtype=float)


def _decisions(model: Any, index: Any, found: Labelling, breaks: Any) -> Any:
    import numpy as np
    import pandas as pd

    matrix = np.array(model.contract.transition_matrix)
    columns = decision_table(found.regime, found.probability, found.novelty, matrix, breaks=breaks)
    frame = pd.DataFrame(columns, index=index)
    labels = frame["regime"]
    for name in ("regime", "age", "changed"):
        frame[name] = frame[name].where(labels >= 0).astype("Int64")
    kinds = [regime.name for regime in model.contract.regimes]
    frame.insert(1, "name", [kinds[label] if label >= 0 else None for label in labels])
    frame[frame.select_dtypes("float").columns] = frame.select_dtypes("float").round(6)
    return frame


def _write(folder: Path, metadata: dict[str, Any], decisions: Any) -> None:
    """Write both files, each complete or not at all."""
    folder.mkdir(exist_ok=True)
    write_table(decisions, folder / DECISIONS)
    with replacing(folder / METADATA) as temporary:
        text = json.dumps(metadata, indent=2, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
