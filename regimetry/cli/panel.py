"""``regimetry panel``: the regimes of many instruments, one by one, together and in common."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from regimetry.cli.arguments import add_json, add_model_and_data, add_output

if TYPE_CHECKING:
    from regimetry.analysis import Analysis, Comovement, PanelAnalysis


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "panel",
        help="compare the regimes of many instruments",
        description="Label a long table of many instruments causally. Print, for each instrument "
        "and for all together, the share of time in each regime, how long it lasts, and the "
        "present regime. With -o, write how many instruments are in each regime at every time.",
        examples=[
            "regimetry panel panel.onnx bars.parquet --by symbol",
            "regimetry panel panel.onnx bars.parquet --by symbol -o comovement.csv",
            "regimetry panel panel.onnx bars.parquet --json",
        ],
    )
    add_model_and_data(parser)
    parser.add_argument(
        "--by", metavar="NAME", help="column that names the instrument (default: the fit's)"
    )
    add_output(parser, "table of counts to write (.csv or .parquet)", required=False)
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Label, count, print and write."""
    from regimetry.analysis import analyse_panel, comovement
    from regimetry.cli.output import print_json
    from regimetry.errors import DataError
    from regimetry.files import require_writable
    from regimetry.runtime.model import load
    from regimetry.series.table_files import read_table, require_table_suffix, write_table

    if options.output is not None:
        require_table_suffix(options.output)
        require_writable(options.output)
    model = load(options.model, device=options.device)
    by = model.contract.by if options.by is None else options.by
    if by is None:
        raise DataError("The model was fitted on one series; name the instrument's column (--by).")
    table = read_table(options.data, time_column=options.time_column, by=by)
    found = model.predict(table, by=by).fillna(-1).to_numpy(dtype="int64")
    groups = table.groupby(table[by].astype(str), sort=True).indices
    stamps = table.index.to_numpy()
    labels = {str(name): found[rows] for name, rows in groups.items()}
    times = {str(name): stamps[rows] for name, rows in groups.items()}
    names = [regime.name for regime in model.contract.regimes]
    analysis = analyse_panel(labels, len(names))
    together = comovement(labels, times, len(names))
    if options.output is not None:
        write_table(_table(together, names, table.index.name), options.output)
    if options.json:
        path = {} if options.output is None else {"path": str(options.output)}
        print_json({**analysis.to_dict(), "comovement": together.to_dict(), **path})
    else:
        print(_text(analysis, together, names))
        if options.output is not None:
            print(f"\n{options.output}: {len(together.times)} times")


def _own(one: Analysis, names: list[str], *, pooled: bool) -> tuple[str, str]:
    """Return mean dwell and last regime, which all instruments together have none of."""
    if pooled:
        return "", ""
    return f"{one.bars / (len(one.changes.bar) + 1):.1f}", names[one.last]


def _table(together: Comovement, names: list[str], time: Any) -> Any:
    import pandas as pd

    table = pd.DataFrame(together.counts, columns=names, index=pd.Index(together.times, name=time))
    return table.assign(missing=together.missing, concentration=together.concentration.round(6))


def _text(analysis: PanelAnalysis, together: Comovement, names: list[str]) -> str:
    from regimetry.cli.output import text_table, when

    header = ["instrument", "bars", *(f"{name} share" for name in names), "mean dwell", "now"]
    rows = []
    for name, one in [("all", analysis.pooled), *analysis.instruments.items()]:
        rows.append(
            [
                name,
                str(one.bars),
                *(f"{share:.1%}" for share in one.share),
                *_own(one, names, pooled=one is analysis.pooled),
            ]
        )
    lines = [text_table(header, rows)]
    if analysis.unlabelled:
        lines.append(f"\nwithout a label: {', '.join(analysis.unlabelled)}")
    last = ", ".join(
        f"{count} in {name}" for name, count in zip(names, together.counts[-1], strict=True)
    )
    lines.append(f"\nat {when(together.times[-1])}: {last}")
    return "\n".join(lines)
