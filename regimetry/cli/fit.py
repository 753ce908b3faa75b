"""``regimetry fit``: a table in, a model file out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from regimetry.cli.arguments import add_json, add_output, add_time_column, names


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser("fit", help="find regimes and write a model file")
    parser.add_argument("data", type=Path, help="table (.csv or .parquet)")
    add_output(parser, "model file to write (.onnx)")
    parser.add_argument("--window-size", type=int, default=10, help="bars (default: %(default)s)")
    parser.add_argument("--n-regimes", default="auto", help="a number, or auto (default)")
    parser.add_argument(
        "--objective",
        default="masked",
        help="what the encoder is trained on: masked, or none (default: %(default)s)",
    )
    parser.add_argument("--epochs", type=int, default=8, help="most of them (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of everything (default: %(default)s)")
    parser.add_argument("--columns", type=names, metavar="A,B", help="read these columns only")
    parser.add_argument(
        "--categorical", type=names, default=[], metavar="A,B", help="columns of names"
    )
    parser.add_argument(
        "--difference",
        default="auto",
        metavar="auto|none|A,B",
        help="columns to difference first (default: those near a unit root)",
    )
    parser.add_argument("--jump-penalty", type=float, default=1.0, help="price of a change")
    parser.add_argument("--opset", type=int, default=17, help="of the file: 17 (default) or 18")
    parser.add_argument(
        "--keras",
        action="store_true",
        help="write the Keras encoder beside the model (.keras), for regimetry verify",
    )
    add_time_column(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Fit, write the file, print the regimes."""
    from regimetry.cli.output import note, print_json, regime_table
    from regimetry.cli.quiet import import_tensorflow_quietly
    from regimetry.errors import ConfigError
    from regimetry.files import replacing, require_writable
    from regimetry.series.frames import layout_of
    from regimetry.series.tables import read_table

    if options.output.suffix != ".onnx":
        raise ConfigError(f"The model file is {str(options.output)!r}; its name must end in .onnx.")
    require_writable(options.output)
    table = read_table(options.data, time_column=options.time_column)
    layout = layout_of(table, columns=options.columns, categorical=options.categorical)
    if layout.left_out:
        note(f"left out, since they are not numbers: {', '.join(layout.left_out)}")

    import_tensorflow_quietly()
    from regimetry.detector import RegimeDetector

    detector = RegimeDetector(
        window_size=options.window_size,
        n_regimes=_count(options.n_regimes),
        objective=None if options.objective == "none" else options.objective,
        epochs=options.epochs,
        difference=_difference(options.difference),
        categorical=options.categorical,
        jump_penalty=options.jump_penalty,
        opset=options.opset,
        random_state=options.seed,
        progress=sys.stderr.isatty(),
    )
    detector.fit(table[list(layout.schema.names)])
    detector.save(options.output)
    if options.keras:
        with replacing(options.output.with_suffix(".keras")) as temporary:
            detector.encoder_.save(temporary)

    contract = detector.model_.contract
    changed = [
        name
        for name, transform in zip(contract.schema.feature_names, contract.transforms, strict=True)
        if transform != "level"
    ]
    if changed and options.difference == "auto":
        note(f"differenced, since they are near a unit root: {', '.join(changed)}")
    if options.json:
        print_json(contract.to_dict())
    else:
        print(regime_table(contract))
        print(f"\n{options.output}: {contract.n_regimes} regimes from {len(table)} rows")


def _count(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdecimal() else text


def _difference(text: str) -> str | list[str]:
    return text if text in ("auto", "none") else names(text)
