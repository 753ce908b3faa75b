"""``regimetry export``: other files from a model file."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regimetry.cli.arguments import add_json

if TYPE_CHECKING:
    from regimetry.check.reader import SourceFile
    from regimetry.contract import RuleReport

_TARGETS = ("series", "triton")


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "export",
        help="make other files from a model file",
        description="Targets: series, the form that reads a whole series and gives one row a bar; "
        "triton, a model repository for NVIDIA's Triton server. --explain shows what each rewrite "
        "rule did.",
        examples=[
            "regimetry export spx.onnx --explain",
            "regimetry export spx.onnx series.onnx --target series",
            "regimetry export spx.onnx repository --target triton --name spx",
        ],
    )
    parser.add_argument("model", type=Path, help="model file (.onnx)")
    parser.add_argument(
        "destination", type=Path, nargs="?", help="file to write (.onnx); for triton, a folder"
    )
    parser.add_argument("--target", choices=_TARGETS, help="what to make")
    parser.add_argument("--explain", action="store_true", help="print what each rule did")
    parser.add_argument("--force", action="store_true", help="triton: replace a model")
    parser.add_argument(
        "--name", help="triton: name of the model (default: that of the file, without .onnx)"
    )
    parser.add_argument(
        "--kind", default="auto", help="triton: auto, cpu or gpu (default: %(default)s)"
    )
    parser.add_argument(
        "--instances", type=int, default=1, help="triton: copies that run at the same time"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Export and print what was made."""
    from regimetry.check.reader import read_source
    from regimetry.cli.output import print_json
    from regimetry.errors import ConfigError

    if (options.target is None) != (options.destination is None) or not (
        options.target or options.explain
    ):
        raise ConfigError(
            f"Name both a file to write and --target ({', '.join(_TARGETS)}), or --explain alone."
        )
    if options.target == "series":
        _require_target(options.destination)
    model = read_source(options.model)
    result: dict[str, Any] = {}
    if options.explain:
        from regimetry.export.targets import rule_reports

        reports = rule_reports(model)
        result["rules"] = list(map(asdict, reports))
        if not options.json:
            print(_rule_table(reports))
    if options.target is not None:
        make = {"series": _series, "triton": _triton}
        result |= {"target": options.target, **make[options.target](model, options)}
    if options.json:
        print_json(result)


def _require_target(path: Path) -> None:
    from regimetry.errors import ConfigError
    from regimetry.files import require_writable

    if path.suffix != ".onnx":
        raise ConfigError(f"The file to write is {str(path)!r}; its name must end in .onnx.")
    require_writable(path)


def _rule_table(reports: Sequence[RuleReport]) -> str:
    from regimetry.cli.output import text_table

    def change(before: int, after: int) -> str:
        return f"{before:,}" if before == after else f"{before:,} -> {after:,}"

    header = ["rule", "applied", "nodes", "multiply-accumulates a window", "bytes"]
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


def _series(model: SourceFile, options: argparse.Namespace) -> dict[str, Any]:
    from regimetry.export.targets import write_series

    path = options.destination
    found = write_series(model, path)
    before, after = len(model.content), path.stat().st_size
    if not options.json:
        print(f"{path}: {before:,} -> {after:,} bytes; it gives the golden outputs")
    return {
        "path": str(path),
        "parity": found.to_dict()["report"],
        "bytes_before": before,
        "bytes_after": after,
    }


def _triton(model: SourceFile, options: argparse.Namespace) -> dict[str, Any]:
    from regimetry.export.triton import write_triton

    path = write_triton(
        model,
        options.destination,
        options.name or model.path.stem,
        force=options.force,
        kind=options.kind,
        instances=options.instances,
    )
    if not options.json:
        print(f"{path}: config.pbtxt and 1/model.onnx")
    return {"path": str(path)}
