"""``regimetry analyse``: what the regimes of a table are like, and what comes next."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regimetry.cli.arguments import add_json, add_model_and_data, names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from regimetry.analysis import ConditionalStatistics, Performance

DECISIONS = "decisions.csv"
METADATA = "regimes.json"


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "analyse",
        help="statistics of the regimes of a table",
        description="Label a table causally and describe its regimes: dwell times, transitions "
        "with intervals, the long run, what comes next, performance of the price, statistics of "
        f"any column. With -o, write {DECISIONS} (one row per bar, for a strategy) and {METADATA}.",
        examples=[
            "regimetry analyse spx.onnx spx.csv --price close --columns range -o out",
            "regimetry analyse spx.onnx minutes.csv --max-gap 1h --bars-per-year 98280 --json",
        ],
    )
    add_model_and_data(parser)
    parser.add_argument(
        "--price",
        metavar="NAME",
        help="column of prices (default: close or price, if there is one)",
    )
    parser.add_argument(
        "--bars-per-year",
        type=float,
        default=252.0,
        metavar="N",
        help="annualisation factor (default: %(default)g, trading days)",
    )
    parser.add_argument(
        "--columns", type=names, default=[], metavar="A,B", help="describe these columns as well"
    )
    parser.add_argument(
        "--max-gap",
        metavar="TIME",
        help="longest time between two bars that follow each other, such as 5D",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="folder to write to; created if needed"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Label, describe, write, print."""
    from regimetry.analysis import analyse_labels
    from regimetry.analysis.metadata import regime_metadata
    from regimetry.cli.analysis_tables import analysis_text
    from regimetry.cli.labelling import breaks_of, label_table, span
    from regimetry.cli.output import print_json
    from regimetry.runtime.model import load
    from regimetry.series.table_files import read_table

    if options.output is not None:
        _require_folder(options.output)
    model = load(options.model, device=options.device)
    table = read_table(options.data, time_column=options.time_column)
    breaks = breaks_of(table.index, options.max_gap)
    found = label_table(model, table)
    n_regimes = model.contract.n_regimes
    analysis = analyse_labels(found.labels, n_regimes, probability=found.probability, breaks=breaks)
    price = _price(table, options.price)
    performances = (
        {}
        if price is None
        else _performances(table[price], found.labels, n_regimes, options.bars_per_year, breaks)
    )
    columns = _columns(table, options.columns, found.labels, n_regimes)
    data = {"file": options.data.name, "price": price, **span(table.index)}
    metadata = regime_metadata(
        model.contract, analysis, data=data, performances=performances, columns=columns
    )
    if options.output is not None:
        _write(options.output, metadata, _decisions(model, table.index, found, breaks))
    if options.json:
        print_json(metadata)
        return
    regimes = [f"{i} {regime.name}" for i, regime in enumerate(model.contract.regimes)]
    print(analysis_text(regimes, analysis, performances, columns, table.index))
    if options.output is not None:
        print(f"\n{options.output}: {DECISIONS}, {len(table)} rows, and {METADATA}")


def _require_folder(path: Path) -> None:
    from regimetry.errors import DataError
    from regimetry.files import require_writable

    if path.exists() and not path.is_dir():
        raise DataError(f"{path} is a file; -o names a folder.")
    require_writable(path / DECISIONS if path.is_dir() else path)


def _price(table: Any, asked: str | None) -> str | None:
    """Find the price; without one, say so and go on, unless it was asked for."""
    from regimetry.analysis.price import find_price
    from regimetry.cli.output import note
    from regimetry.errors import DataError

    columns = {str(name): table[name].to_numpy() for name in table.columns}
    try:
        return find_price(columns, asked)
    except DataError as error:
        if asked is not None:
            raise
        note(f"no performance: {error}")
        return None


def _performances(
    price: Any, labels: NDArray[np.int64], n_regimes: int, bars_per_year: float, breaks: Any
) -> dict[str, Performance]:
    from regimetry.analysis import performance, simple_returns

    returns = simple_returns(price.to_numpy(dtype=float), breaks)
    return {
        timing: performance(
            labels, returns, n_regimes, bars_per_year=bars_per_year, timing=timing, breaks=breaks
        )
        for timing in ("same", "next")
    }


def _columns(
    table: Any, asked: list[str], labels: NDArray[np.int64], n_regimes: int
) -> dict[str, ConditionalStatistics]:
    from regimetry.analysis import conditional_statistics
    from regimetry.errors import DataError

    for name in asked:
        if name not in table.columns or table[name].dtype.kind not in "fiub":
            raise DataError(
                f"There is no column of numbers {name!r}; the columns are "
                f"{', '.join(map(str, table.columns))}."
            )
    return {
        name: conditional_statistics(labels, table[name].to_numpy(dtype=float), n_regimes)
        for name in asked
    }


def _decisions(model: Any, index: Any, found: Any, breaks: Any) -> Any:
    import numpy as np
    import pandas as pd

    from regimetry.analysis import decision_table

    matrix = np.array(model.contract.transition_matrix)
    columns = decision_table(found.labels, found.probability, found.novelty, matrix, breaks=breaks)
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
    import json

    from regimetry.files import replacing
    from regimetry.series.table_files import write_table

    folder.mkdir(exist_ok=True)
    write_table(decisions, folder / DECISIONS)
    with replacing(folder / METADATA) as temporary:
        text = json.dumps(metadata, indent=2, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
