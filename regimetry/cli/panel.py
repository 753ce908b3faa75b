"""``regimetry panel``: the regimes of many instruments, one by one, together and in common."""

from __future__ import annotations

import argparse
from typing import Any

from regimetry.analysis import Analysis, Comovement, PanelAnalysis, analyse_panel, comovement
from regimetry.cli.arguments import MODEL_AND_DATA, output
from regimetry.cli.labelled_table import numbers_of
from regimetry.cli.output import show, text_table, when
from regimetry.cli.verb import Verb, argument
from regimetry.errors import DataError
from regimetry.files import require_writable
from regimetry.runtime.model import load
from regimetry.series.file_options import FileOptions
from regimetry.series.table_files import read_table, require_table_suffix, write_table

VERB = Verb(
    help="compare the regimes of many instruments",
    description="Label a long table of many instruments causally. Print, for each instrument and "
    "for all together, the share of time in each regime, how long it lasts, and the present "
    "regime. With -o, write how many instruments are in each regime at every time.",
    examples=[
        "regimetry panel panel.onnx bars.parquet --by symbol",
        "regimetry panel panel.onnx bars.parquet --by symbol -o comovement.csv",
        "regimetry panel panel.onnx bars.parquet --json",
    ],
    arguments=[
        *MODEL_AND_DATA,
        argument(
            "--by", metavar="NAME", help="column that names the instrument (default: the fit's)"
        ),
        output("table of counts to write (.csv or .parquet)", required=False),
    ],
)


def run(options: argparse.Namespace) -> None:
    """Label, count, print and write."""
    if options.output is not None:
        require_table_suffix(options.output)
        require_writable(options.output)
    model = load(options.model, device=options.device)
    by = model.contract.by if options.by is None else options.by
    if by is None:
        raise DataError("The model was fitted on one series; name the instrument's column (--by).")
    table = read_table(options.data, FileOptions.of(options, model.rules.repeated), by=by).frame
    found, stamps = numbers_of(model.predict(table, by=by)), table.index.to_numpy()
    groups = {
        str(name): rows
        for name, rows in table.groupby(table[by].astype(str), sort=True).indices.items()
    }
    labels = {name: found[rows] for name, rows in groups.items()}
    times = {name: stamps[rows] for name, rows in groups.items()}
    names = [regime.name for regime in model.contract.regimes]
    analysis = analyse_panel(labels, len(names))
    together = comovement(labels, times, len(names))
    data = {**analysis.to_dict(), "comovement": together.to_dict()}
    text = _panel_text(analysis, together, names, model.contract.units)
    if options.output is not None:
        write_table(_counts_table(together, names, table.index.name), options.output)
        data["path"] = str(options.output)
        text += f"\n\n{options.output}: {len(together.times)} times"
    show(options, data, text)


def _counts_table(together: Comovement, names: list[str], time: Any) -> Any:
    import pandas as pd

    table = pd.DataFrame(together.counts, columns=names, index=pd.Index(together.times, name=time))
    return table.assign(missing=together.missing, concentration=together.concentration.round(6))


def _panel_text(analysis: PanelAnalysis, together: Comovement, names: list[str], units: str) -> str:
    def shares(name: str, one: Analysis) -> list[str]:
        return [name, str(one.bars), *(f"{share:.1%}" for share in one.share)]

    header = ["instrument", units, *(f"{name} share" for name in names), "mean dwell", "now"]
    rows = [
        [*shares(name, one), f"{one.bars / (len(one.changes.bar) + 1):.1f}", names[one.last]]
        for name, one in analysis.instruments.items()
    ]
    lines = [text_table(header, [[*shares("all", analysis.pooled), "", ""], *rows])]
    if analysis.unlabelled:
        lines.append(f"\nwithout a label: {', '.join(analysis.unlabelled)}")
    last = ", ".join(
        f"{count} in {name}" for name, count in zip(names, together.counts[-1], strict=True)
    )
    lines.append(f"\nat {when(together.times[-1])}: {last}")
    return "\n".join(lines)
