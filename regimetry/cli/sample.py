"""``regimetry sample``: a series to try things on."""

from __future__ import annotations

import argparse
from pathlib import Path

from regimetry.cli.arguments import add_json, add_output


def add_parser(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "sample",
        help="write a sample series",
        description="Write a sample: an index's daily history 1999 to 2018, or a simulated series "
        "whose true states go to a second file, NAME.states.csv.",
        examples=[
            "regimetry sample sp500 -o spx.csv",
            "regimetry sample nasdaq --bars -o bars.csv",
            "regimetry sample simulated --kind s2 --seed 1 --rows 2000 -o sim.csv",
        ],
    )
    parser.add_argument("name", choices=["sp500", "nasdaq", "simulated"])
    add_output(parser, "table to write (.csv or .parquet)")
    parser.add_argument(
        "--bars",
        action="store_true",
        help="for an index: open, high, low, close, adj close and volume, for fit --features ohlcv",
    )
    parser.add_argument("--kind", default="s2", help="simulator (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the simulation (default: 0)")
    parser.add_argument("--rows", type=int, help="bars to simulate (default: the simulator's own)")
    add_json(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Write the sample."""
    from regimetry.cli.output import print_json
    from regimetry.errors import ConfigError
    from regimetry.files import require_writable
    from regimetry.series.samples import market_sample, simulated_sample
    from regimetry.series.table_files import require_table_suffix, write_table

    require_table_suffix(options.output)
    require_writable(options.output)
    if options.name == "simulated":
        if options.bars:
            raise ConfigError("--bars is for sp500 and nasdaq: a simulated series has no bars.")
        beside: Path | None = options.output.with_suffix(f".states{options.output.suffix}")
        values, states = simulated_sample(options.kind, options.seed, options.rows)
        assert beside is not None
        write_table(states, beside)
        write_table(values, options.output)
        text = f"{len(values)} rows; true states in {beside}"
    else:
        values = market_sample(options.name, bars=options.bars)
        write_table(values, options.output)
        beside = None
        text = f"{len(values)} rows, {values.index[0]:%F} to {values.index[-1]:%F}"
    if options.json:
        print_json(
            {
                "path": str(options.output),
                "rows": len(values),
                "columns": [str(name) for name in values.columns],
                "states": None if beside is None else str(beside),
            }
        )
    else:
        print(f"{options.output}: {text}")
