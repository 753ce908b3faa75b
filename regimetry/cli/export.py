"""``regimetry export``: other files from a model file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from regimetry.check.reader import SourceFile, read_source
from regimetry.cli.arguments import MODEL
from regimetry.cli.output import show, text_table
from regimetry.cli.verb import Verb, argument, flag
from regimetry.contract import RuleReport
from regimetry.errors import ConfigError
from regimetry.export.targets import rule_reports, write_series
from regimetry.export.triton import write_triton
from regimetry.files import require_writable

VERB = Verb(
    help="make other files from a model file",
    description="Targets: series, the form that reads a whole series and gives one row per bar; "
    "triton, a model repository for NVIDIA's Triton server, which was checked against its protocol "
    "and never run on one. --explain shows what each rewrite rule "
    "did.",
    examples=[
        "regimetry export spx.onnx --explain",
        "regimetry export spx.onnx series.onnx --target series",
        "regimetry export spx.onnx repository --target triton --name spx",
    ],
    arguments=[
        MODEL,
        argument(
            "destination", type=Path, nargs="?", help="file to write (.onnx); for triton, a folder"
        ),
        argument("--target", choices=("series", "triton"), help="what to make"),
        flag("--explain", "print what each rule did"),
        flag("--force", "triton: replace a model"),
        argument(
            "--name", help="triton: name of the model (default: that of the file, without .onnx)"
        ),
        argument("--kind", default="auto", help="triton: auto, cpu or gpu (default: %(default)s)"),
        argument(
            "--instances", type=int, default=1, help="triton: copies that run at the same time"
        ),
    ],
)


def run(options: argparse.Namespace) -> None:
    """Export and print what was made."""
    path = options.destination
    if (options.target is None) != (path is None) or not (options.target or options.explain):
        raise ConfigError(
            "Name both a file to write and --target (series, triton), or --explain alone."
        )
    if options.target == "series":
        if path.suffix != ".onnx":
            raise ConfigError(f"The file to write is {str(path)!r}; its name must end in .onnx.")
        require_writable(path)
    model = read_source(options.model)
    result: dict[str, Any] = {}
    texts = []
    if options.explain:
        reports = rule_reports(model)
        result["rules"] = list(map(asdict, reports))
        texts.append(_rule_table(reports))
    if options.target is not None:
        make = {"series": _series, "triton": _triton}[options.target]
        made, text = make(model, options)
        result |= {"target": options.target, **made}
        texts.append(text)
    show(options, result, "\n".join(texts))


def _rule_table(reports: Sequence[RuleReport]) -> str:
    def change(before: int, after: int) -> str:
        return f"{before:,}" if before == after else f"{before:,} -> {after:,}"

    header = ["rule", "applied", "nodes", "multiply-accumulates per window", "bytes"]
    rows = [
        [
            report.rule,
            str(report.applied),
            change(report.nodes_before, report.nodes_after),
            change(report.operations_before, report.operations_after),
            change(report.bytes_before, report.bytes_after),
        ]
        for report in reports
    ]
    refusals = [f"{report.rule}: {why}" for report in reports for why in report.refused]
    return "\n".join([text_table(header, rows), *refusals])


def _series(model: SourceFile, options: argparse.Namespace) -> tuple[dict[str, Any], str]:

    path = options.destination
    found = write_series(model, path)
    before, after = len(model.content), path.stat().st_size
    made = {"path": str(path), "parity": found.to_dict()["report"]}
    return (
        {**made, "bytes_before": before, "bytes_after": after},
        f"{path}: {before:,} -> {after:,} bytes; it gives the golden outputs",
    )


def _triton(model: SourceFile, options: argparse.Namespace) -> tuple[dict[str, Any], str]:

    path = write_triton(
        model,
        options.destination,
        options.name or model.path.stem,
        force=options.force,
        kind=options.kind,
        instances=options.instances,
    )
    return {"path": str(path)}, f"{path}: config.pbtxt and 1/model.onnx"
