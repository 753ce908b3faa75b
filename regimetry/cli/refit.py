"""``regimetry refit``: a model and more rows in, the model that goes on out."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from regimetry.cli.arguments import DATA, MODEL, TABLE, output
from regimetry.cli.output import alignment_text, regime_lines, show, text_table
from regimetry.cli.verb import Verb, argument
from regimetry.configuration.prepare import detector_of, prepare
from regimetry.configuration.reading import validated
from regimetry.configuration.writing import kept_fields, of_model
from regimetry.contract.wording import counted
from regimetry.errors import ConfigError, ExportParityError
from regimetry.files import require_writable
from regimetry.series.file_options import FileOptions
from regimetry.series.table_files import read_table

if TYPE_CHECKING:
    from regimetry.analysis import Moved
    from regimetry.detector import RegimeDetector
    from regimetry.runtime.model import RegimeModel

_GATES = ("onnxruntime", "reference")  # both there where a fit runs


def _count(text: str) -> int | str:
    return int(text) if text.isdecimal() else text  # what is neither it nor auto is refused later


VERB = Verb(
    help="fit a model to more rows; its regimes go on",
    description="Fit the regimes of a model to a table to which rows came. Encoder, units, window "
    "and number of regimes are kept, and what the regimes are called; say what moved. The new file "
    "is written once its golden windows agree in onnxruntime and in ONNX's reference evaluator. "
    "Give all rows that the model shall stand on, the old ones too. With --window-size or "
    "--n-regimes all is fitted anew, and the same regimes keep their names.",
    examples=[
        "regimetry refit spx.onnx more.csv -o new.onnx",
        "regimetry refit spx.onnx more.csv -o new.onnx --n-regimes auto",
    ],
    arguments=[
        MODEL,
        DATA,
        *TABLE,
        output("model file to write (.onnx)"),
        argument(
            "--window-size", type=_count, metavar="BARS", help="another window, or auto: fit anew"
        ),
        argument("--n-regimes", type=_count, metavar="K", help="another number, or auto: fit anew"),
    ],
)


def run(options: argparse.Namespace) -> None:
    """Refit, verify, write, say what moved."""
    from regimetry.runtime.model import load

    if options.output.suffix != ".onnx":
        raise ConfigError(f"The model file is {str(options.output)!r}; its name must end in .onnx.")
    require_writable(options.output)
    earlier = load(options.model, device="cpu")
    detector = _refitted(options, earlier)
    _verify(detector)
    detector.save(options.output)
    contract, moved = detector.model_.contract, getattr(detector, "moved_", None)
    found = {**contract.to_dict(), "moved": None if moved is None else moved.to_dict()}
    text = [
        regime_lines(contract),
        alignment_text(contract) if moved is None else _moved(moved, contract.units),
        f"{options.output}: verified; {counted(contract.n_regimes, 'regime')} from "
        f"{contract.counted(contract.training.rows)}",
    ]
    show(options, found, "\n\n".join(text))


def _refitted(options: argparse.Namespace, earlier: RegimeModel) -> RegimeDetector:
    contract, progress = earlier.contract, sys.stderr.isatty()
    given = {"window_size": options.window_size, "n_regimes": options.n_regimes}
    asked = {name: value for name, value in given.items() if value is not None}
    fields = of_model(contract) if asked else kept_fields(contract)
    if asked:
        fields = {**fields, "names": "none"}  # those of the earlier model are kept, by its regimes
    configuration = validated({**fields, **asked})
    files = FileOptions.of(options, contract.reading.repeated)
    table = read_table(options.data, files, by=contract.by).frame
    if not asked:
        return detector_of(configuration, progress=progress).update(table, of=earlier)
    prepared = prepare(configuration, table)
    detector = detector_of(configuration, align_to=earlier, progress=progress)
    return detector.fit(prepared.data, by=configuration.by, features=prepared.features)


def _verify(detector: RegimeDetector) -> None:
    """Raise :class:`ExportParityError` if the files would not agree with the fit."""
    from regimetry.check.verify import verify

    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        detector.save(path)
        problem = verify(path, runtimes=_GATES).problem
    if problem is not None:
        raise ExportParityError(f"{problem} Nothing was written.")


def _moved(moved: Moved, units: str) -> str:
    header = ["regime", "share", "now", "mean dwell", "now", "most moved", "shift", "deviation"]
    rows = [
        [
            one["name"],
            f"{one['share_before']:.1%}",
            f"{one['share_now']:.1%}",
            f"{one['dwell_before']:.1f}",
            f"{one['dwell_now']:.1f}",
            one["most_moved"],
            f"{one['shift']:+.2f}",
            f"x {one['deviation_ratio']:.2f}",
        ]
        for one in map(asdict, moved.regimes)
    ]
    said = f"{moved.changed:.1%} of {moved.bars} {units} have another regime than before"
    for word, names in (("born", moved.born), ("dead", moved.dead)):
        said += f"; {word} {', '.join(names)}" if names else ""
    return f"{text_table(header, rows)}\n\n{said}"
