"""``regimetry report``: the regimes of a table, to look at."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from regimetry.cli.arguments import add_json, add_model_and_data, add_output

if TYPE_CHECKING:
    from regimetry.report.data import ReportData

FORMATS = ("html", "md", "png", "svg")


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "report",
        help="a page of figures and tables of a table's regimes",
        description="Label a table causally and draw its regimes: one HTML page that needs no "
        "network (.html), Markdown with its figures beside it (.md), the series alone (.png, "
        ".svg), or every figure alone, into a folder (--format png or svg).",
        examples=[
            "regimetry report spx.onnx spx.csv -o report.html",
            "regimetry report spx.onnx spx.csv -o regimes.png --price close",
            "regimetry report spx.onnx spx.csv -o figures --format svg",
        ],
    )
    add_model_and_data(parser)
    add_output(parser, "page or picture to write, or a folder for figures")
    parser.add_argument(
        "--format", choices=FORMATS, help="what to write (default: as the output's name ends)"
    )
    parser.add_argument(
        "--price",
        metavar="NAME",
        help="column to draw (default: close or price, or else the first the model reads)",
    )
    parser.add_argument(
        "--bars-per-year",
        type=float,
        default=252.0,
        metavar="N",
        help="annualisation factor (default: %(default)g, trading days)",
    )
    parser.add_argument(
        "--max-gap",
        metavar="TIME",
        help="longest time between two bars that follow each other, such as 5D",
    )
    parser.add_argument(
        "--umap", action="store_true", help="a map by UMAP besides PCA (extra umap; half a minute)"
    )
    add_json(parser, "print what was written as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Label, gather, draw, write."""
    from regimetry.cli.output import note, print_json
    from regimetry.errors import InstallError
    from regimetry.report.maps import has_umap
    from regimetry.report.writing import require_place, write_report

    kind = _format(options)
    require_place(options.output, kind)
    if options.umap and not has_umap():
        raise InstallError(
            "umap-learn, which draws the second map, is not installed. Run: pip install "
            "'regimetry[umap]', or leave --umap out."
        )
    data = _gather(options)
    if data.drawn.note is not None:
        note(f"{data.drawn.name} is drawn in place of a price. {data.drawn.note}")
    write_report(data, options.output, kind)
    if options.json:
        print_json(
            {
                "output": str(options.output),
                "format": kind,
                "drawn": data.drawn.name,
                "n_regimes": data.contract.n_regimes,
            }
        )
        return
    print(
        f"{options.output}: {data.drawn.name} coloured by {data.contract.n_regimes} "
        f"regime{'s' * (data.contract.n_regimes != 1)}"
    )


def _gather(options: argparse.Namespace) -> ReportData:
    import numpy as np

    from regimetry.cli.labelling import breaks_of, label_table
    from regimetry.report.axis import TimeAxis
    from regimetry.report.data import choose_drawn, gather
    from regimetry.runtime.model import load
    from regimetry.series.table_files import read_table

    model = load(options.model, device=options.device)
    table = read_table(options.data, time_column=options.time_column)
    columns = {str(name): table[name].to_numpy() for name in table.columns}
    drawn = choose_drawn(columns, model.contract.schema.names, options.price)
    breaks = breaks_of(table.index, options.max_gap)
    found = label_table(model, table)
    name = table.index.name
    return gather(
        model.contract,
        axis=TimeAxis.of(table.index.to_numpy(), None if name is None else str(name)),
        drawn=drawn,
        labels=found.labels,
        probability=found.probability,
        novelty=found.novelty,
        embedding=np.asarray(model.embed(table)),
        model_name=options.model.name,
        data_name=options.data.name,
        bars_per_year=options.bars_per_year,
        breaks=breaks,
        umap=options.umap,
    )


def _format(options: argparse.Namespace) -> str:
    """Decide what to write by the output's name, or by --format where that says nothing."""
    from regimetry.errors import ConfigError

    suffix = options.output.suffix.lower().removeprefix(".")
    if suffix in FORMATS:
        if options.format not in (None, suffix):
            raise ConfigError(
                f"The output is {str(options.output)!r} and format is {options.format!r}; leave "
                "one of them out, or make them agree."
            )
        return suffix
    if options.format is None:
        raise ConfigError(
            f"The output is {str(options.output)!r}; its name must end in .html, .md, .png or "
            ".svg, or --format png or svg makes it a folder of figures."
        )
    return str(options.format)
