"""``regimetry fit``: a table in, a model file out."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from regimetry.cli.arguments import add_json, add_output, add_ray
from regimetry.cli.flags import add_config, add_flags, given

if TYPE_CHECKING:
    import pandas as pd

    from regimetry.configuration import Configuration
    from regimetry.contract import ModelContract
    from regimetry.detector import RegimeDetector


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "fit",
        help="find regimes and write a model file",
        description="Find the regimes of a table and write the model file that recognises them, "
        "with a golden file beside it. Fields come from --config; a flag overrides the file. The "
        "model keeps them: regimetry inspect shows them, and regimetry config --from writes them "
        "again. With --by, the instruments of a table or of a folder of Parquet files share their "
        "regimes.",
        examples=[
            "regimetry fit spx.csv -o spx.onnx --window-size 20 --n-regimes 3",
            "regimetry fit bars.csv -o bars.onnx --features ohlcv",
            "regimetry fit spx.csv -o spx.onnx --config run.yaml --seed 1",
            "regimetry fit bars/ -o panel.onnx --by symbol",
        ],
    )
    parser.add_argument("data", type=Path, help="table (.csv or .parquet), or folder of .parquet")
    add_output(parser, "model file to write (.onnx)")
    add_config(parser)
    parser.add_argument(
        "--align-to",
        type=Path,
        metavar="MODEL",
        help="earlier model file; regimes that are the same keep its names",
    )
    parser.add_argument(
        "--keras",
        action="store_true",
        help="write the Keras encoder beside the model (.keras), for regimetry verify",
    )
    add_json(parser)
    group = parser.add_argument_group("folders of Parquet files")
    add_ray(group)
    add_flags(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Fit, write the file, print the regimes."""
    from regimetry.cli.output import choices_text, note, print_json, regime_table
    from regimetry.configuration.fitting import detector_of, prepare
    from regimetry.configuration.reading import resolve
    from regimetry.encoder.quiet import import_tensorflow_quietly
    from regimetry.errors import ConfigError
    from regimetry.files import replacing, require_writable
    from regimetry.series.table_files import read_table

    if options.output.suffix != ".onnx":
        raise ConfigError(f"The model file is {str(options.output)!r}; its name must end in .onnx.")
    require_writable(options.output)
    configuration = resolve(options.config, given(options))
    detector = detector_of(configuration, align_to=options.align_to, progress=sys.stderr.isatty())
    if options.data.is_dir():
        import_tensorflow_quietly()
        _fit_folder(detector, configuration, options)
    else:
        if options.keep_going or options.ray or options.actors is not None:
            raise ConfigError(
                f"--keep-going, --ray and --actors are for a folder; {options.data} is a table."
            )
        table = read_table(options.data, time_column=configuration.time_column, by=configuration.by)
        prepared = prepare(configuration, table)
        for text in prepared.notes:
            note(text)
        import_tensorflow_quietly()
        detector.fit(prepared.data, by=configuration.by, features=prepared.features)
        _advise(configuration, prepared.data, detector.model_.contract)
    detector.save(options.output)
    if options.keras:
        with replacing(options.output.with_suffix(".keras")) as temporary:
            detector.encoder_.save(temporary)

    contract = detector.model_.contract
    if options.json:
        print_json(contract.to_dict())
    else:
        print(regime_table(contract))
        print(choices_text(contract), end="")
        rows = f"{contract.training.rows} rows"
        if contract.training.instruments is not None:
            rows += f" of {contract.training.instruments} instruments"
        print(f"\n{options.output}: {contract.n_regimes} regimes from {rows}")


def _fit_folder(
    detector: RegimeDetector, configuration: Configuration, options: argparse.Namespace
) -> None:
    from regimetry.errors import ConfigError
    from regimetry.scale import fit

    for name in ("features", "categorical"):
        if getattr(configuration, name):
            raise ConfigError(
                f"{name} is {getattr(configuration, name)!r}; a folder is read as numbers. Write "
                "the features to Parquet first."
            )
    fit(
        options.data,
        detector,
        by=configuration.by,
        time_column=configuration.time_column,
        columns=configuration.columns,
        keep_going=options.keep_going,
        ray=options.ray,
        actors=options.actors,
    )


def _advise(configuration: Configuration, data: pd.DataFrame, contract: ModelContract) -> None:
    """Say what was differenced, and warn of columns whose level drifts, once."""
    from regimetry.cli.output import note
    from regimetry.series.features import drifting_columns
    from regimetry.series.series import as_series

    names = contract.schema.feature_names
    pairs = zip(names, contract.transforms, strict=True)
    changed = [name for name, transform in pairs if transform != "level"]
    if changed and configuration.difference in (None, "auto"):
        note(f"differenced, since they are near a unit root: {', '.join(changed)}")
    if configuration.features is not None or configuration.by is not None:
        return
    values = as_series(data, contract.schema).values
    reasons = drifting_columns(values, names, contract.transforms)
    if reasons:
        found = "; ".join(f"{name} {reason}" for name, reason in reasons.items())
        note(
            f"{found}. Such levels leave the range that the model was fitted on: difference them "
            f"with --difference {','.join(reasons)}"
        )
