"""``regimetry report``: the series coloured by its regimes."""

from __future__ import annotations

import argparse

from regimetry.cli.arguments import add_model_and_data, add_output


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser("report", help="draw a table coloured by its regimes")
    add_model_and_data(parser)
    add_output(parser, "picture to write (.png or .svg)")
    parser.add_argument(
        "--price",
        metavar="NAME",
        help="column to draw (default: close, or the first the model reads)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Draw and write."""
    from regimetry.errors import ConfigError, DataError
    from regimetry.files import replacing, require_writable
    from regimetry.report.timeline import draw_timeline
    from regimetry.runtime.model import load
    from regimetry.series.features import as_read_by
    from regimetry.series.tables import read_table

    suffix = options.output.suffix.lower()
    if suffix not in (".png", ".svg"):
        raise ConfigError(
            f"The picture is {str(options.output)!r}; its name must end in .png or .svg."
        )
    require_writable(options.output)
    model = load(options.model, device=options.device)
    table = read_table(options.data, time_column=options.time_column)
    price = options.price or next(
        (name for name in table.columns if str(name).lower() == "close"),
        model.contract.schema.names[0],
    )
    if price not in table.columns:
        raise DataError(
            f"There is no column {price!r} to draw; the columns are "
            f"{', '.join(map(str, table.columns))}."
        )
    labels = model.label(as_read_by(model.contract, table))
    figure = draw_timeline(table[price].iloc[-len(labels.regime) :], labels)
    with replacing(options.output) as temporary:
        figure.savefig(temporary, format=suffix[1:], dpi=150)
    print(f"{options.output}: {price} coloured by {model.contract.n_regimes} regimes")
