"""Arguments that several verbs share."""

from __future__ import annotations

from pathlib import Path

from regimetry.cli.verb import Declared, argument, flag, group


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def names(text: str) -> list[str]:
    """Split a comma-separated list of names."""
    return [name for name in (part.strip() for part in text.split(",")) if name]


MODEL = argument("model", type=Path, help="model file (.onnx)")
DATA = argument(
    "data", type=Path, help="table (.csv, .tsv, .txt, .parquet), or - for text on standard input"
)
TABLE = (
    argument("--time-column", metavar="NAME", help="column of times (default: found)"),
    argument(
        "--day-first",
        type=_truth,
        metavar="true|false",
        help="whether 01/02/2000 is the first of February (default: by all rows)",
    ),
    argument("--time-format", metavar="FORM", help="form of the times, such as %%d/%%m/%%Y"),
    argument(
        "--separator",
        metavar="CHAR",
        help="between the fields of text: a character, tab or space (default: by the header)",
    ),
    argument(
        "--decimal", choices=[".", ","], help="decimal sign (default: a point, or as all rows show)"
    ),
    argument("--encoding", metavar="NAME", help="of text (default: UTF-8, or as its bytes show)"),
    argument(
        "--rename",
        type=names,
        default=[],
        metavar="OLD=NEW,...",
        help="read columns under other names",
    ),
)
DEVICE = argument(
    "--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)"
)
MODEL_AND_DATA = (
    MODEL,
    DATA,
    *TABLE,
    DEVICE,
)
BARS_PER_YEAR = argument(
    "--bars-per-year",
    type=float,
    default=252.0,
    metavar="N",
    help="annualisation factor (default: %(default)g, trading days)",
)
READING = group(
    "how rows are read (default: as at the fit)",
    argument(
        "--missing",
        choices=["trim", "gap", "ffill", "error"],
        help="rows with a missing value: leave out leading ones, split there, fill forward, refuse",
    ),
    argument(
        "--max-fill", type=int, metavar="ROWS", help="with ffill, rows that a value may be old"
    ),
    argument(
        "--max-gap",
        metavar="TIME",
        help="longest time between two rows that follow each other, such as 5D",
    ),
    argument(
        "--after-gap", choices=["restart", "carry"], help="causal state after a gap: afresh, or on"
    ),
    argument("--repeated", choices=["refuse", "keep"], help="rows of equal times"),
)
CHANGES = group(
    "which changes of regime are told",
    argument(
        "--change-probability",
        type=float,
        default=0.8,
        metavar="P",
        help="at least this probable at the bar at which it is told (default: %(default)s)",
    ),
    argument(
        "--change-bars",
        type=int,
        default=3,
        metavar="N",
        help="held for at least so many bars in a row (default: %(default)s)",
    ),
)
CONFIG = argument(
    "--config",
    type=Path,
    metavar="FILE",
    help="YAML file of fields and values; a flag overrides it; see regimetry config",
)
# What folders of Parquet files take.
RAY = (
    flag("--keep-going", "leave out files that cannot be used, and say which"),
    flag("--ray", "use Ray: the cluster in RAY_ADDRESS, or one that is started here for the run"),
    argument(
        "--actors",
        type=int,
        metavar="N",
        help="with --ray, number of processes (default: one per CPU)",
    ),
)


def output(what: str, *, required: bool = True, metavar: str = "FILE") -> Declared:
    """Declare -o."""
    return argument("-o", "--output", type=Path, required=required, metavar=metavar, help=what)
