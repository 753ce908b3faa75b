"""``regimetry export``: other files from a model file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regimetry.cli.arguments import add_json, add_time_column

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from regimetry.check.parity import ParityReport
    from regimetry.check.reader import SourceFile

_TARGETS = ("onnx", "series", "float16", "triton")


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "export",
        help="make other files from a model file",
        description="Targets: onnx, the graph with the exact rewrite rules applied; series, the "
        "form that reads a whole series and gives one row a bar; float16, the encoder in half "
        "precision, written only if it keeps the regimes; triton, a model repository for NVIDIA's "
        "Triton server. --explain shows what each rewrite rule did.",
        examples=[
            "regimetry export spx.onnx --explain",
            "regimetry export spx.onnx series.onnx --target series",
            "regimetry export spx.onnx half.onnx --target float16 --data spx.csv",
            "regimetry export spx.onnx repository --target triton --name spx",
        ],
    )
    parser.add_argument("model", type=Path, help="model file (.onnx)")
    parser.add_argument(
        "destination", type=Path, nargs="?", help="file to write (.onnx); for triton, a folder"
    )
    parser.add_argument("--target", choices=_TARGETS, help="what to make")
    parser.add_argument("--explain", action="store_true", help="print what each rule did")
    parser.add_argument(
        "--force",
        action="store_true",
        help="float16: write a file that changes regimes; triton: replace a model",
    )
    parser.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="float16: measure on the windows of this table as well (.csv or .parquet)",
    )
    add_time_column(parser)
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
    if options.target in ("onnx", "series", "float16"):
        _require_target(options.destination)
    model = read_source(options.model)
    result: dict[str, Any] = {}
    if options.explain:
        from regimetry.export.targets import rule_reports

        result["rules"] = rule_reports(model)
        if not options.json:
            print(_rule_table(result["rules"]))
    if options.target is not None:
        make = {"onnx": _onnx, "series": _series, "float16": _float16, "triton": _triton}
        result |= {"target": options.target, **make[options.target](model, options)}
    if options.json:
        print_json(result)


def _require_target(path: Path) -> None:
    from regimetry.errors import ConfigError
    from regimetry.files import require_writable

    if path.suffix != ".onnx":
        raise ConfigError(f"The file to write is {str(path)!r}; its name must end in .onnx.")
    require_writable(path)


def _rule_table(reports: list[dict[str, Any]]) -> str:
    from regimetry.cli.output import text_table

    def change(report: dict[str, Any], what: str) -> str:
        before, after = report[f"{what}_before"], report[f"{what}_after"]
        return f"{before:,}" if before == after else f"{before:,} -> {after:,}"

    header = ["rule", "applied", "nodes", "multiply-accumulates a window", "bytes"]
    rows = [
        [report["rule"], str(report["applied"])]
        + [change(report, what) for what in ("nodes", "operations", "bytes")]
        for report in reports
    ]
    refusals = [f"{report['rule']}: {why}" for report in reports for why in report["refused"]]
    return "\n".join([text_table(header, rows), *refusals])


def _onnx(model: SourceFile, options: argparse.Namespace) -> dict[str, Any]:
    from regimetry.export.targets import write_rewritten

    return _written(model, options, write_rewritten(model, options.destination))


def _series(model: SourceFile, options: argparse.Namespace) -> dict[str, Any]:
    from regimetry.export.targets import write_series

    return _written(model, options, write_series(model, options.destination))


def _written(
    model: SourceFile, options: argparse.Namespace, parity: ParityReport
) -> dict[str, Any]:
    path = options.destination
    after = path.stat().st_size
    if not options.json:
        print(
            f"{path}: {len(model.content):,} -> {after:,} bytes; embedding differs by "
            f"{parity.embedding:.1e} at most, regimes in {parity.regimes} of {parity.windows} "
            "windows"
        )
    return {
        "path": str(path),
        "parity": parity.to_dict(),
        "bytes_before": len(model.content),
        "bytes_after": after,
    }


def _float16(model: SourceFile, options: argparse.Namespace) -> dict[str, Any]:
    from regimetry.cli.output import text_table
    from regimetry.errors import ConfigError, ExportParityError
    from regimetry.export.targets import require_window_form, write_with_golden

    require_window_form(model)
    if model.precision == "float16":
        raise ConfigError(f"{model.path} is a float16 file already.")
    windows = _windows(model, options)
    graph = model.graph()  # onnx is here, or says what to install

    from regimetry.export.float16 import LEAST_AGREEMENT, assess, to_float16
    from regimetry.export.stamp import stamp

    content = stamp(to_float16(graph), model.contract, precision="float16")
    report = assess(model.content, content, windows)
    if not options.json:
        parity = report.parity
        rows = [
            ["bytes", f"{report.bytes_before:,}", f"{report.bytes_after:,}"],
            ["microseconds a window", f"{report.us_before:.0f}", f"{report.us_after:.0f}"],
        ]
        print(text_table(["", "float32", "float16"], rows))
        print(
            f"\nregimes agree on {report.agreement:.2%} of {parity.windows} windows; the embedding "
            f"differs by {parity.embedding:.1e} of its largest entry ({report.device})"
        )
    if report.agreement < LEAST_AGREEMENT and not options.force:
        raise ExportParityError(
            f"The float16 file gives the same regime on {report.agreement:.2%} of "
            f"{report.parity.windows} windows, where {LEAST_AGREEMENT:.1%} is asked for. Nothing "
            "was written. Measure on more windows with --data, or write it with --force."
        )
    write_with_golden(model, content, options.destination)
    if not options.json:
        print(f"{options.destination}: float16")
    return {"path": str(options.destination), **report.to_dict()}


def _windows(model: SourceFile, options: argparse.Namespace) -> NDArray[np.float32]:
    """Return the golden windows and those of the table."""
    import numpy as np

    from regimetry.check.golden import golden_path, read_golden
    from regimetry.errors import ConfigError

    path = golden_path(model.path)
    parts = [read_golden(path, model.contract).window] if path.is_file() else []
    if options.data is not None:
        parts.append(_windows_of_table(model, options))
    if not parts:
        raise ConfigError(
            f"There is nothing to measure on: {path} is not there. Name a table with --data."
        )
    return np.concatenate(parts)


def _windows_of_table(model: SourceFile, options: argparse.Namespace) -> NDArray[np.float32]:
    from regimetry.contract.features import as_read_by
    from regimetry.errors import DataError
    from regimetry.series.preprocessing import log_columns, require_positive
    from regimetry.series.series import as_series
    from regimetry.series.tables import read_table
    from regimetry.windows import rolling_windows

    contract = model.contract
    table = read_table(options.data, time_column=options.time_column)
    values = as_series(as_read_by(contract, table), contract.schema).values
    if len(values) < contract.window_rows:
        raise DataError(
            f"{options.data} has {len(values)} rows; the model reads {contract.window_rows} at "
            "once. Give more history."
        )
    names = contract.schema.feature_names
    require_positive(values, log_columns(contract.transforms), names)
    return rolling_windows(values.astype("float32"), contract.window_rows)


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
