"""Arguments that several verbs share."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_json(parser: argparse.ArgumentParser, what: str = "print JSON instead of a table") -> None:
    """Add --json: one object on standard output, and an error as one on standard error."""
    parser.add_argument("--json", action="store_true", help=what)


def add_time_column(parser: argparse.ArgumentParser) -> None:
    """Add --time-column."""
    parser.add_argument(
        "--time-column", metavar="NAME", help="column of times (default: found by name)"
    )


def add_output(parser: argparse.ArgumentParser, what: str, *, required: bool = True) -> None:
    """Add -o."""
    parser.add_argument("-o", "--output", type=Path, required=required, metavar="FILE", help=what)


def add_model_and_data(parser: argparse.ArgumentParser) -> None:
    """Add the two positional arguments, the time column and the device."""
    parser.add_argument("model", type=Path, help="model file (.onnx)")
    parser.add_argument("data", type=Path, help="table (.csv or .parquet)")
    add_time_column(parser)
    parser.add_argument(
        "--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)"
    )


def add_ray(group: argparse._ArgumentGroup) -> None:
    """Add what folders of Parquet files take: --keep-going, --ray and --actors."""
    group.add_argument(
        "--keep-going",
        action="store_true",
        help="leave out files that cannot be used, and say which",
    )
    group.add_argument(
        "--ray",
        action="store_true",
        help="use Ray: the cluster in RAY_ADDRESS, or one that is started here for the run",
    )
    group.add_argument(
        "--actors",
        type=int,
        metavar="N",
        help="with --ray, number of processes (default: one per CPU)",
    )


def names(text: str) -> list[str]:
    """Split a comma-separated list of names."""
    return [name for name in (part.strip() for part in text.split(",")) if name]
