"""``regimetry analyse``: what the regimes of a table are like, and what comes next."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regimetry.cli.arguments import add_json, add_model_and_data, names

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from regimetry.analysis import Analysis, ConditionalStatistics, Performance

DECISIONS = "decisions.csv"
METADATA = "regimes.json"


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "analyse",
        help="statistics of the regimes of a table",
        description="Label a table causally and describe its regimes: dwell times, transitions "
        "with intervals, the long run, what comes next, performance of the price, statistics of "
        f"any column. With -o, write {DECISIONS} (one row a bar, for a strategy) and {METADATA}.",
        epilog="example: regimetry analyse spx.onnx spx.csv --price close --columns range -o out",
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
        help="a bar later than this after the one before does not follow it, such as 5D",
    )
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR", help="folder to write to; made if need be"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Label, describe, write, print."""
    from regimetry.analysis import analyse_labels
    from regimetry.analysis.metadata import regime_metadata
    from regimetry.cli.labelling import breaks_of, label_table, span
    from regimetry.cli.output import print_json
    from regimetry.runtime.model import load
    from regimetry.series.tables import read_table

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
    print("\n\n".join(_tables(regimes, analysis, performances, columns, table.index)))
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
    columns = decision_table(*found, matrix, breaks=breaks)
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
    from regimetry.series.tables import write_table

    folder.mkdir(exist_ok=True)
    write_table(decisions, folder / DECISIONS)
    with replacing(folder / METADATA) as temporary:
        text = json.dumps(metadata, indent=2, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def _tables(
    regimes: list[str],
    analysis: Analysis,
    performances: dict[str, Performance],
    columns: dict[str, ConditionalStatistics],
    index: Any,
) -> list[str]:
    blocks = [_dwell_table(regimes, analysis), _matrix_table(regimes, analysis)]
    if performances:
        blocks.append(_performance_table(regimes, performances))
    for name, statistics in columns.items():
        blocks.append(_column_table(regimes, name, statistics))
    return [*blocks, _outlook(regimes, analysis, index)]


def _number(value: float, digits: str = ".1f") -> str:
    """Return a number as text; NaN as nothing, infinity as a word."""
    if value != value:
        return ""
    return "never" if value == float("inf") else format(value, digits)


def _dwell_table(regimes: list[str], analysis: Analysis) -> str:
    from regimetry.cli.output import text_table

    dwell, interval = analysis.dwell, analysis.transitions.level
    header = ["regime", "share", "long run", "spells", "mean", "median", "longest", "expected"]
    header += [f"{interval:.0%} interval", "entropy"]
    rows = [
        [
            regime,
            f"{analysis.share[i]:.1%}",
            f"{analysis.long_run[i]:.1%}",
            str(dwell.spells[i]),
            *(_number(v[i]) for v in (dwell.mean, dwell.median, dwell.longest, dwell.expected)),
            f"{_number(dwell.lower[i])} to {_number(dwell.upper[i])}",
            _number(analysis.entropy[i], ".3f"),
        ]
        for i, regime in enumerate(regimes)
    ]
    return text_table(header, rows)


def _matrix_table(regimes: list[str], analysis: Analysis) -> str:
    from regimetry.cli.output import text_table

    found = analysis.transitions
    rows = [
        [
            regime,
            *(
                f"{found.empirical[i, j]:.4f} ({found.lower[i, j]:.4f} to {found.upper[i, j]:.4f})"
                for j in range(len(regimes))
            ),
        ]
        for i, regime in enumerate(regimes)
    ]
    return text_table(["from \\ to", *regimes], rows)


def _performance_table(regimes: list[str], performances: dict[str, Performance]) -> str:
    from regimetry.cli.output import text_table

    same, after = performances["same"], performances["next"]
    header = ["regime", "bars", "spells", "return", "volatility", "Sharpe", "hits", "drawdown"]
    header += ["in a spell", "next bar: return", "Sharpe"]
    rows = [
        [
            regime,
            str(same.bars[i]),
            str(same.spells[i]),
            _number(same.annual_return[i], ".1%"),
            _number(same.volatility[i], ".1%"),
            _number(same.sharpe[i], ".2f"),
            _number(same.hit_rate[i], ".1%"),
            _number(same.drawdown[i], ".1%"),
            _number(same.spell_drawdown[i], ".1%"),
            _number(after.annual_return[i], ".1%"),
            _number(after.sharpe[i], ".2f"),
        ]
        for i, regime in enumerate(regimes)
    ]
    return text_table(header, rows)


def _column_table(regimes: list[str], name: str, found: ConditionalStatistics) -> str:
    from regimetry.cli.output import text_table

    header = [name, "bars", "mean", "deviation", *(f"{level:.0%}" for level in found.levels)]
    rows = [
        [
            regime,
            str(found.count[i]),
            *(_number(v, ".4g") for v in (found.mean[i], found.deviation[i], *found.quantiles[i])),
        ]
        for i, regime in enumerate(regimes)
    ]
    return text_table(header, rows)


def _outlook(regimes: list[str], analysis: Analysis, index: Any) -> str:
    from regimetry.cli.labelling import when

    lines = [f"last regime   {regimes[analysis.last]}, {when(index[-1])}"]
    for horizon in (1, 5, 20):
        shares = zip(regimes, analysis.forecast[horizon - 1], strict=True)
        text = ", ".join(f"{regime} {share:.1%}" for regime, share in shares)
        lines.append(f"in {horizon:<2} bars    {text}")
    lines.append(f"entropy rate  {analysis.entropy_rate:.3f} bits a bar")
    strongest = analysis.changes
    lines.append(f"changes       {len(strongest.bar)}" + _strongest(regimes, analysis, index))
    if not analysis.is_irreducible:
        lines.append(
            "reducible     not every regime leads to every other here; the long run is from the "
            "last regime"
        )
    return "\n".join(lines)


def _strongest(regimes: list[str], analysis: Analysis, index: Any) -> str:
    import numpy as np

    from regimetry.cli.labelling import when

    changes = analysis.changes
    order = np.argsort(-changes.strength, kind="stable")[:3]
    if not len(order):
        return ""
    texts = (
        f"{when(index[changes.bar[i]])} to {regimes[changes.after[i]]} ({changes.strength[i]:.2f})"
        for i in order
    )
    return "; strongest: " + ", ".join(texts)
