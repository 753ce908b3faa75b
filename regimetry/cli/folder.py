"""``regimetry predict`` of a folder: many instruments, Parquet in, Parquet out."""

from __future__ import annotations

import argparse
from typing import Any

from regimetry.cli.arguments import RAY
from regimetry.cli.labelled_table import opened
from regimetry.cli.output import note, show, text_table
from regimetry.cli.progress import progress
from regimetry.cli.verb import argument, group
from regimetry.errors import ConfigError
from regimetry.series.file_options import STANDARD, FileOptions
from regimetry.series.time_options import TimeOptions

OPTIONS = group(
    "folders of Parquet files, or one file with --by and a folder as the output",
    argument(
        "--by",
        metavar="NAME",
        help="column, or key of key=value folders, that names the instrument (default: the fit's, "
        "or found by name)",
    ),
    argument(
        "--memory",
        type=float,
        metavar="GIB",
        help="memory for the rows, in each process (default: 1)",
    ),
    argument(
        "--parts",
        type=int,
        metavar="N",
        help="number of output files, if instruments span files (default: 16 to 64)",
    ),
    *RAY,
)


def is_folder(options: argparse.Namespace) -> bool:
    """Return whether the data are a folder, or a file of many instruments.

    Raises
    ------
    ConfigError
        A single table is given options of folders.
    """
    if options.data.is_dir():
        return True
    to_folder = options.output is not None and not options.output.suffix
    to_folder &= STANDARD not in (options.data, options.output)
    if options.by is not None and options.data.suffix.lower() in ("", ".parquet") and to_folder:
        return True
    for name in ("keep_going", "memory", "parts", "ray", "actors"):
        if getattr(options, name) not in (None, False):
            raise ConfigError(
                f"--{name.replace('_', '-')} is for a folder of Parquet files, or one file with "
                f"--by; {options.data} is a single table."
            )
    return False


def run(options: argparse.Namespace) -> None:
    """Label the folder and say what was done."""
    from regimetry.scale import predict

    if options.output is None:
        raise ConfigError("The labels of a folder go to a folder; name one with -o.")
    FileOptions.of(options).require_none_of_text(options.data)
    model = opened(options)
    report = predict(
        options.data,
        model,
        output=options.output,
        by=options.by,
        **vars(TimeOptions.of(options)),
        keep_going=options.keep_going,
        memory=1.0 if options.memory is None else options.memory,
        parts=options.parts,
        ray=options.ray,
        actors=options.actors,
        progress=lambda rows, before: progress(rows, "labelling", model.contract.unit, done=before),
    )
    for line in _notes(report):
        note(line)
    labelled = max(1, sum(report["bars"].values()))
    rows = [
        [f"{number} {name}", str(bars), f"{bars / labelled:.1%}"]
        for number, (name, bars) in enumerate(report["bars"].items())
    ]
    table = text_table(["regime", model.contract.units, "share"], rows)
    text = (
        f"{table}\n\n{options.output}: {report['rows']} rows of {report['instruments']} "
        f"instruments, {report['unlabelled']} without a full window"
    )
    show(options, {**report, "path": str(options.output)}, text)


def _notes(report: dict[str, Any]) -> list[str]:
    """Return one line for each thing that did not go as the files promise."""
    lines = [f"left out: {reason}" for reason in report["skipped"].values()]
    if report["short"]:
        lines.append(f"shorter than a window, left without labels: {_some(report['short'])}")
    if report["sorted"]:
        lines.append(f"rows out of order, put in order: {_some(report['sorted'])}")
    if report["done_before"]:
        lines.append(f"{report['done_before']} of {report['units']} files were done before")
    return lines


def _some(names: list[str], most: int = 10) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
