"""``regimetry config``: the fields of a fit as a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from regimetry.check.reader import read_source
from regimetry.cli.output import print_json
from regimetry.cli.verb import Verb, argument, flag, one_of
from regimetry.configuration import Configuration
from regimetry.configuration.reading import resolve, validated
from regimetry.configuration.writing import as_yaml, of_model, plain_fields

VERB = Verb(
    help="print or check the configuration of a fit",
    description="Print the configuration that regimetry fit --config takes, with the meaning of "
    "every field and its allowed values: the defaults, or the values of a fitted model. Or check a "
    "file.",
    examples=[
        "regimetry config --print-default > run.yaml",
        "regimetry config --check run.yaml",
        "regimetry config --from spx.onnx > again.yaml",
    ],
    arguments=[
        one_of(
            flag("--print-default", "print the defaults as YAML"),
            argument("--check", type=Path, metavar="FILE", help="check a file (.yaml)"),
            argument(
                "--from",
                dest="model",
                type=Path,
                metavar="MODEL",
                help="print the configuration that fits this model again (.onnx)",
            ),
            required=True,
        )
    ],
)


def run(options: argparse.Namespace) -> None:
    """Print or check."""
    if options.check is not None:
        configuration = resolve(options.check, {})
        text = f"{options.check}: every field has a value that is allowed"
    elif options.model is not None:
        contract = read_source(options.model).contract
        configuration = validated(of_model(contract))
        heading = f"{options.model.name}, fitted on {contract.training.rows} rows"
        text = as_yaml(configuration, heading=heading)
    else:
        configuration = Configuration()
        text = as_yaml(configuration)
    if options.json:
        print_json(plain_fields(configuration))
    else:
        print(text.removesuffix("\n"))
