"""``regimetry backtest``: what regimes would have been worth, walking forward."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from regimetry.cli.arguments import BARS_PER_YEAR, CONFIG, names, output
from regimetry.cli.flags import add_flags, given
from regimetry.cli.output import note, show, text_table
from regimetry.cli.progress import progress
from regimetry.cli.verb import Verb, argument
from regimetry.configuration.prepare import detector_of, prepare
from regimetry.configuration.reading import resolve
from regimetry.errors import ConfigError, DataError, InstallError
from regimetry.files import replacing
from regimetry.series.file_options import STANDARD, FileOptions
from regimetry.series.table_files import read_table, write_table

if TYPE_CHECKING:
    from regimetry.backtest import Backtest, Summary

BARS, REGIMES, REFITS = "bars.csv", "regimes.csv", "refits.csv"
SUMMARY, PAGE = "summary.json", "backtest.html"

VERB = Verb(
    help="walk forward: refit, label, trade a bar later",
    description="Fit on the past, label the bars after it causally, move on, and trade a rule on "
    "the labels, late and at a cost. Write every bar, every refit with its regimes, a summary and "
    "a page. Refits are kept in the folder as they are done: the same command continues a walk "
    "that was stopped, and another rule, cost or delay needs no other fit.",
    examples=[
        "regimetry backtest spx.csv --train 2520 --refit 126 -o walk",
        "regimetry backtest spx.csv --n-regimes 2 --rule regime_1=0.5 --cost 5 --delay 0 -o walk",
        "regimetry backtest bars.parquet --by symbol --columns close --jobs 4 --json",
    ],
    arguments=[
        argument("data", type=Path, help="table (.csv, .tsv, .txt, .parquet)"),
        output("folder (default: NAME-backtest)", required=False, metavar="DIR"),
        CONFIG,
        argument(
            "--train",
            type=int,
            default=2520,
            metavar="BARS",
            help="bars that each fit sees (default: %(default)s)",
        ),
        argument(
            "--refit",
            type=int,
            default=126,
            metavar="BARS",
            help="bars that a model labels before the next fit (default: %(default)s)",
        ),
        argument(
            "--rule",
            type=names,
            metavar="NAME=POSITION,...",
            help="position in a regime, 1 in those not named (default: 0 in the regime with the "
            "worst mean in training)",
        ),
        argument(
            "--cost",
            type=float,
            default=10.0,
            metavar="BP",
            help="of a change of position, in basis points a side (default: %(default)g)",
        ),
        argument(
            "--delay",
            type=int,
            default=1,
            metavar="BARS",
            help="between a decision at a close and its trade (default: %(default)s)",
        ),
        argument("--price", metavar="NAME", help="column to trade (default: close or price)"),
        BARS_PER_YEAR,
        argument(
            "--jobs", type=int, default=1, metavar="N", help="processes (default: %(default)s)"
        ),
        add_flags,
    ],
    json="print the summary as JSON",
)


def run(options: argparse.Namespace) -> None:
    """Walk, write, print."""
    from regimetry.analysis.price import find_price
    from regimetry.backtest import WalkForwardOptions, walk_forward
    from regimetry.backtest.bars import Bars

    windows = ("train", "refit", "cost", "delay", "bars_per_year")
    asked = WalkForwardOptions(**{name: getattr(options, name) for name in windows})
    rule = None if options.rule is None else _rule(options.rule)
    configuration = resolve(options.config, given(options))
    table = read_table(options.data, FileOptions.of(configuration), by=configuration.by).frame
    prepared = prepare(configuration, table)
    for text in prepared.notes:
        note(text)
    columns = {str(name): table[name].to_numpy() for name in table.columns}
    price = table[find_price(columns, options.price)].iloc[len(table) - len(prepared.data) :]
    if options.data == STANDARD and options.output is None:
        raise ConfigError("The table is standard input; name the folder with -o.")
    folder = options.output or Path(f"{options.data.stem}-backtest")
    if folder.is_file():
        raise DataError(f"{folder} is a file; -o names a folder.")
    bars = Bars.of(prepared.data, price, configuration.by)
    steps = len(list(asked.spans(bars.n_times)))
    with progress(steps, "walking", "fit", after_s=0) as advance:
        walk = walk_forward(
            prepared.data,
            detector_of(configuration),
            price=price,
            by=configuration.by,
            rule=rule,
            features=prepared.features,
            folder=folder,
            jobs=options.jobs,
            advance=advance,
            **vars(asked),
        )
    written = _write(folder, walk, options.data.name)
    summary = walk.summary
    shown = {"folder": str(folder), "written": written, **summary.to_dict()}
    show(options, shown, f"{_text(summary)}\n\n{folder}: {', '.join(written)}")


def _rule(entries: list[str]) -> dict[str, float]:
    found = {}
    for entry in entries:
        name, sign, text = entry.rpartition("=")
        try:
            found[name] = float(text)
        except ValueError:
            sign = ""
        if not sign:
            raise ConfigError(
                f"The rule holds {entry!r}; it must be NAME=POSITION, such as regime_1=0."
            )
    return found


def _write(folder: Path, walk: Backtest, data_name: str) -> list[str]:
    """Write tables, summary and page, each complete or not at all; return what there is."""
    frame = walk.frame.assign(regime=walk.regime_names())
    write_table(frame, folder / BARS)
    write_table(walk.regimes, folder / REGIMES)
    write_table(walk.refits, folder / REFITS)
    with replacing(folder / SUMMARY) as temporary:
        text = json.dumps(walk.summary.to_dict(), indent=2, allow_nan=False, ensure_ascii=False)
        temporary.write_text(text + "\n", encoding="utf-8")
    written = [BARS, REGIMES, REFITS, SUMMARY]
    try:
        from regimetry.backtest.page import write_page

        write_page(walk, folder / PAGE, data_name)
    except InstallError as error:
        note(f"no page: {error}")
        return written
    return [*written, PAGE]


def _text(summary: Summary) -> str:
    rows = [
        [
            name,
            f"{one.annual_return:.1%}",
            f"{one.volatility:.1%}",
            f"{one.sharpe:.2f}",
            f"{one.drawdown:.1%}",
            f"{one.turnover:.1f}",
        ]
        for name, one in (("rule", summary.rule), ("holding", summary.hold))
    ]
    header = ["a year", "return", "volatility", "Sharpe", "drawdown", "turnover"]
    scores, kept = summary.log_score, summary.stability
    shares = ", ".join(f"{name} {share:.1%}" for name, share in summary.share.items())
    lines = [
        text_table(header, rows),
        "",
        f"{summary.bars} bars by {summary.refits} refits; {shares}",
        f"log score, nats a bar: {scores.model:.4f}; one t {scores.one_t:.4f}, EWMA with t "
        f"{scores.ewma_t:.4f} ({scores.bars} bars)",
    ]
    if summary.refits > 1:
        lines.append(
            f"names kept over a refit: {kept.kept:.1%} of shared bars, at worst {kept.lowest:.1%}; "
            f"regimes born: {kept.born}"
        )
    return "\n".join(lines)
