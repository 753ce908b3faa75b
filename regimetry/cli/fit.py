"""``regimetry fit``: a table in, a model file out."""

from __future__ import annotations

import argparse
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from regimetry.cli.arguments import CONFIG, RAY, output
from regimetry.cli.flags import add_flags, given
from regimetry.cli.output import choices_text, note, regime_lines, show
from regimetry.cli.verb import Verb, argument, flag, group
from regimetry.configuration import Configuration
from regimetry.configuration.prepare import detector_of, prepare
from regimetry.configuration.reading import resolve
from regimetry.contract import ModelContract
from regimetry.contract.wording import counted
from regimetry.errors import ConfigError, DataWarning
from regimetry.files import replacing, require_writable
from regimetry.series.features import drifting_columns
from regimetry.series.file_options import FileOptions
from regimetry.series.panel import Panel, as_panel
from regimetry.series.table_files import read_table

if TYPE_CHECKING:
    from regimetry.detector import RegimeDetector

_SHOWN = 8
"""Candidates that are printed; ``inspect`` prints all."""

VERB = Verb(
    help="find regimes and write a model file",
    description="Find the regimes of a table and write the model file that recognises them, with a "
    "golden file beside it. Fields come from --config; a flag overrides the file. The model keeps "
    "them: regimetry inspect shows them, and regimetry config --from writes them again. With --by, "
    "the instruments of a table or of a folder of Parquet files share their regimes.",
    examples=[
        "regimetry fit spx.csv -o spx.onnx --window-size 20 --n-regimes 3",
        "regimetry fit bars.csv -o bars.onnx --features ohlcv",
        "regimetry fit spx.csv -o spx.onnx --config run.yaml --seed 1",
        "regimetry fit bars/ -o panel.onnx --by symbol",
    ],
    arguments=[
        argument(
            "data",
            type=Path,
            help="table (.csv, .tsv, .txt, .parquet), - for text on standard input, or a folder "
            "of .parquet",
        ),
        output("model file to write (.onnx)"),
        CONFIG,
        argument(
            "--align-to",
            type=Path,
            metavar="MODEL",
            help="earlier model file; regimes that are the same keep its names",
        ),
        argument(
            "--encoder-file",
            type=Path,
            metavar="FILE",
            help="ONNX file that embeds the windows, in place of the encoder of the fields",
        ),
        flag("--keras", "write the Keras encoder beside the model (.keras), for regimetry verify"),
        group("folders of Parquet files", *RAY),
        add_flags,
    ],
)


def run(options: argparse.Namespace) -> None:
    """Fit, write the file, print the regimes."""
    if options.output.suffix != ".onnx":
        raise ConfigError(f"The model file is {str(options.output)!r}; its name must end in .onnx.")
    require_writable(options.output)
    configuration = resolve(options.config, given(options))
    detector = detector_of(configuration, align_to=options.align_to, progress=sys.stderr.isatty())
    if options.encoder_file is not None:
        detector.set_params(encoder=options.encoder_file)
    if detector.objective is not None or options.keras:
        from regimetry.encoder.quiet import import_tensorflow_quietly

        import_tensorflow_quietly()
    if options.data.is_dir():
        _fit_folder(detector, configuration, options)
    else:
        if options.keep_going or options.ray or options.actors is not None:
            raise ConfigError(
                f"--keep-going, --ray and --actors are for a folder; {options.data} is a table."
            )
        table = read_table(options.data, FileOptions.of(configuration), by=configuration.by)
        prepared = prepare(configuration, table.frame)
        for text in prepared.notes:
            note(text)
        detector.fit(
            prepared.data, prepared.states, by=configuration.by, features=prepared.features
        )
        if configuration.features is None and configuration.by is None:
            with warnings.catch_warnings():  # the fit has said it
                warnings.simplefilter("ignore", DataWarning)
                contract = detector.model_.contract
                panel = as_panel(prepared.data, contract.schema, rules=contract.reading)
            _advise(panel, contract)
    _say_differenced(configuration, detector.model_.contract)
    detector.save(options.output)
    if options.keras:
        with replacing(options.output.with_suffix(".keras")) as temporary:
            detector.encoder_.save(temporary)
    contract = detector.model_.contract
    instruments = contract.training.instruments
    text = (
        f"{regime_lines(contract)}\n{choices_text(contract, _SHOWN)}\n{options.output}: "
        f"{counted(contract.n_regimes, 'regime')} from "
        f"{contract.counted(contract.training.rows)}"
    )
    of = "" if instruments is None else f" of {instruments} instruments"
    found = {**contract.to_dict(), "regimes_without_bars": [*contract.regimes_without_bars]}
    show(options, found, text + of)


def _fit_folder(
    detector: RegimeDetector, configuration: Configuration, options: argparse.Namespace
) -> None:
    from regimetry.scale import fit

    for name in ("features", "categorical", "labels_column"):
        if getattr(configuration, name):
            raise ConfigError(
                f"{name} is {getattr(configuration, name)!r}; a folder is read as numbers. Leave "
                "it out, or write the features to Parquet first."
            )
    FileOptions.of(configuration).require_none_of_text(options.data)
    fit(
        options.data,
        detector,
        by=configuration.by,
        time_column=configuration.time_column,
        day_first=configuration.day_first,
        time_format=configuration.time_format,
        columns=configuration.columns,
        keep_going=options.keep_going,
        ray=options.ray,
        actors=options.actors,
    )


def _say_differenced(configuration: Configuration, contract: ModelContract) -> None:
    names = contract.schema.feature_names
    pairs = zip(names, contract.transforms, strict=True)
    changed = [name for name, transform in pairs if transform != "level"]
    if changed and configuration.difference in (None, "auto"):
        note(f"differenced, since they are near a unit root: {', '.join(changed)}")
    if kept := contract.training.kept_levels:
        note(f"kept as levels, since they sit on a few: {', '.join(kept)}")


def _advise(panel: Panel, contract: ModelContract) -> None:
    """Warn of columns whose level drifts, once."""
    names, kept = contract.schema.feature_names, contract.training.kept_levels
    reasons = drifting_columns(panel.values, names, contract.transforms)
    reasons = {name: reason for name, reason in reasons.items() if name not in kept}
    if reasons:
        found = "; ".join(f"{name} {reason}" for name, reason in reasons.items())
        note(
            f"{found}. Such levels leave the range that the model was fitted on: difference them "
            f"with --difference {','.join(reasons)}"
        )
