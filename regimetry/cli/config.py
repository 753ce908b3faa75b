"""``regimetry config``: the fields of a fit as a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from regimetry.cli.arguments import add_json


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "config",
        help="print or check the configuration of a fit",
        description="Print the configuration that regimetry fit --config takes, with the meaning "
        "of every field and its allowed values: the defaults, or the values of a fitted model. Or "
        "check a file.",
        examples=[
            "regimetry config --print-default > run.yaml",
            "regimetry config --check run.yaml",
            "regimetry config --from spx.onnx > again.yaml",
        ],
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--print-default", action="store_true", help="print the defaults as YAML")
    what.add_argument("--check", type=Path, metavar="FILE", help="check a file (.yaml)")
    what.add_argument(
        "--from",
        dest="model",
        type=Path,
        metavar="MODEL",
        help="print the configuration that fits this model again (.onnx)",
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Print or check."""
    from regimetry.cli.output import print_json
    from regimetry.configuration import Configuration
    from regimetry.configuration.reading import resolve, validated
    from regimetry.configuration.writing import as_yaml, of_model, plain

    heading = ""
    if options.check is not None:
        configuration = resolve(options.check, {})
    elif options.model is not None:
        from regimetry.check.reader import read_source

        contract = read_source(options.model).contract
        configuration = validated(of_model(contract))
        heading = f"{options.model.name}, fitted on {contract.training.rows} rows"
    else:
        configuration = Configuration()
    if options.json:
        print_json(plain(configuration))
    elif options.check is not None:
        print(f"{options.check}: every field has a value that is allowed")
    else:
        print(as_yaml(configuration, heading=heading), end="")
