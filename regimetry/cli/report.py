"""``regimetry report``: the regimes of a table, to look at."""

from __future__ import annotations

import argparse

from regimetry.cli.arguments import BARS_PER_YEAR, MODEL_AND_DATA, READING, output
from regimetry.cli.labelled_table import label_table
from regimetry.cli.output import note, show
from regimetry.cli.verb import Verb, argument, flag
from regimetry.errors import ConfigError, InstallError
from regimetry.report.axis import TimeAxis
from regimetry.report.data import ReportData, choose_drawn, gather
from regimetry.report.writing import require_place, write_report

FORMATS = ("html", "md", "png", "svg")

VERB = Verb(
    help="a page of figures and tables of a table's regimes",
    description="Label a table causally and draw its regimes: one HTML page that needs no network "
    "(.html), Markdown with its figures beside it (.md), the series alone (.png, .svg), or every "
    "figure alone, into a folder (--format png or svg).",
    examples=[
        "regimetry report spx.onnx spx.csv -o report.html",
        "regimetry report spx.onnx spx.csv -o regimes.png --price close",
        "regimetry report spx.onnx spx.csv -o figures --format svg",
    ],
    arguments=[
        *MODEL_AND_DATA,
        output("page or picture to write, or a folder for figures"),
        argument(
            "--format", choices=FORMATS, help="what to write (default: as the output's name ends)"
        ),
        argument(
            "--price",
            metavar="NAME",
            help="column to draw (default: close or price, or else the first the model reads)",
        ),
        BARS_PER_YEAR,
        READING,
        flag("--umap", "a map by UMAP besides PCA (extra umap; half a minute)"),
    ],
    json="print what was written as JSON",
)


def run(options: argparse.Namespace) -> None:
    """Label, gather, draw, write."""
    from regimetry.report.embedding_maps import has_umap

    kind = _format(options)
    require_place(options.output, kind)
    if options.umap and not has_umap():
        raise InstallError(
            "umap-learn, which draws the second map, is not installed. Run: pip install "
            "'regimetry[umap]', or leave --umap out."
        )
    data = _report_data(options)
    drawn, n_regimes = data.drawn.name, data.contract.n_regimes
    if data.drawn.note is not None:
        note(f"{drawn} is drawn in place of a price. {data.drawn.note}")
    write_report(data, options.output, kind)
    show(
        options,
        {"output": str(options.output), "format": kind, "drawn": drawn, "n_regimes": n_regimes},
        f"{options.output}: {drawn} coloured by {n_regimes} regime{'s' * (n_regimes != 1)}",
    )


def _report_data(options: argparse.Namespace) -> ReportData:
    import numpy as np

    model, read, found, breaks = label_table(options)
    table = read.frame
    columns = {str(name): table[name].to_numpy() for name in table.columns}
    name = table.index.name
    return gather(
        model.contract,
        axis=TimeAxis.of(table.index.to_numpy(), None if name is None else str(name)),
        drawn=choose_drawn(columns, model.contract.schema.names, options.price),
        labels=found.regime,
        probability=found.probability,
        novelty=found.novelty,
        novel=found.novel,
        embedding=np.asarray(model.embed(table, every_bar=True))[found.regime >= 0],
        model_name=options.model.name,
        data_name=options.data.name,
        bars_per_year=options.bars_per_year,
        breaks=breaks,
        umap=options.umap,
    )


def _format(options: argparse.Namespace) -> str:
    """Decide what to write by the output's name, or by --format where that says nothing."""
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
