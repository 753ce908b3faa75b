"""``regimetry fit``: a table in, a model file out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from regimetry.cli.arguments import add_json, add_output, add_time_column, names

if TYPE_CHECKING:
    import pandas as pd

    from regimetry.contract import ModelContract
    from regimetry.series.features import OhlcvFeatures


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser("fit", help="find regimes and write a model file")
    parser.add_argument("data", type=Path, help="table (.csv or .parquet)")
    add_output(parser, "model file to write (.onnx)")
    parser.add_argument("--window-size", type=int, default=10, help="bars (default: %(default)s)")
    parser.add_argument("--n-regimes", default="auto", help="a number, or auto (default)")
    parser.add_argument(
        "--objective",
        default="none",
        help="what the encoder is trained on: vamp2, masked, contrast, vicreg, next_bar, or none "
        "(default: %(default)s)",
    )
    parser.add_argument("--epochs", type=int, help="most of them (default: the objective's own)")
    parser.add_argument("--seed", type=int, default=0, help="of everything (default: %(default)s)")
    parser.add_argument("--columns", type=names, metavar="A,B", help="read these columns only")
    parser.add_argument(
        "--categorical", type=names, default=[], metavar="A,B", help="columns of names"
    )
    parser.add_argument(
        "--features",
        choices=["ohlcv"],
        help="make features of the columns open, high, low, close and volume, and fit on those",
    )
    parser.add_argument(
        "--feature-window",
        type=int,
        metavar="BARS",
        help="that the features look back on (default: 5)",
    )
    parser.add_argument(
        "--difference",
        metavar="auto|none|A,B",
        help="columns to difference first (default: those near a unit root; with --features, none)",
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
    features = _features(options, table)
    if features is None:
        layout = layout_of(table, columns=options.columns, categorical=options.categorical)
        if layout.left_out:
            note(f"left out, since they are not numbers: {', '.join(layout.left_out)}")
        data = table[list(layout.schema.names)]
    else:
        data = features.frame(table)
    # The windows of features overlap, which looks like a unit root and is none.
    default = "auto" if features is None else "none"
    difference = default if options.difference is None else _difference(options.difference)

    import_tensorflow_quietly()
    from regimetry.detector import RegimeDetector

    detector = RegimeDetector(
        window_size=options.window_size,
        n_regimes=_count(options.n_regimes),
        objective=None if options.objective == "none" else options.objective,
        epochs=options.epochs,
        difference=difference,
        categorical=options.categorical,
        jump_penalty=options.jump_penalty,
        opset=options.opset,
        random_state=options.seed,
        progress=sys.stderr.isatty(),
    )
    detector.fit(data, features=features)
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
    if changed and difference == "auto":
        note(f"differenced, since they are near a unit root: {', '.join(changed)}")
    if features is None:
        _advise(data, contract)
    if options.json:
        print_json(contract.to_dict())
    else:
        print(regime_table(contract))
        print(f"\n{options.output}: {contract.n_regimes} regimes from {len(table)} rows")


def _features(options: argparse.Namespace, table: pd.DataFrame) -> OhlcvFeatures | None:
    """Return what --features asks for, and say which columns it takes."""
    from regimetry.cli.output import note
    from regimetry.errors import ConfigError
    from regimetry.series.features import BarColumns, OhlcvFeatures
    from regimetry.series.features.pipeline import DEFAULT_WINDOW
    from regimetry.series.frames import layout_of

    if options.features is None:
        if options.feature_window is not None:
            raise ConfigError("--feature-window has no meaning without --features ohlcv.")
        return None
    if options.categorical:
        raise ConfigError("--categorical has no meaning with --features: bars hold numbers only.")
    if options.columns is None:
        columns = BarColumns.find(table.columns)
    else:
        columns = BarColumns.find(layout_of(table, columns=options.columns).schema.names)
    window = DEFAULT_WINDOW if options.feature_window is None else options.feature_window
    features = OhlcvFeatures(columns, window)
    unused = [str(name) for name in table.columns if name not in columns.names]
    note(
        f"features over {window} bars, made of {', '.join(columns.names)}"
        + ("" if columns.volume else "; there is no volume, and no feature of it")
        + (f"; not used: {', '.join(unused)}" if unused else "")
    )
    return features


def _advise(data: pd.DataFrame, contract: ModelContract) -> None:
    """Warn of columns whose level drifts, once."""
    from regimetry.cli.output import note
    from regimetry.series.features import drifting_columns
    from regimetry.series.series import as_series

    names = contract.schema.feature_names
    values = as_series(data, contract.schema).values
    reasons = drifting_columns(values, names, contract.transforms)
    if reasons:
        found = "; ".join(f"{name} {reason}" for name, reason in reasons.items())
        note(
            f"{found}. Such levels leave the range that the model was fitted on: difference them "
            f"with --difference {','.join(reasons)}"
        )


def _count(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdecimal() else text


def _difference(text: str) -> str | list[str]:
    return text if text in ("auto", "none") else names(text)
