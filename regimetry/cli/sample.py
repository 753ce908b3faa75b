"""``regimetry sample``: a series to try things on."""

from __future__ import annotations

import argparse

from regimetry.cli.arguments import output
from regimetry.cli.output import show
from regimetry.cli.verb import Verb, argument, flag
from regimetry.errors import ConfigError
from regimetry.files import require_writable
from regimetry.series.samples import market_sample, simulated_sample
from regimetry.series.table_files import require_table_suffix, write_table

VERB = Verb(
    help="write a sample series",
    description="Write a sample: an index's daily history 1999 to 2018, or a simulated series "
    "whose true states go to a second file, NAME.states.csv.",
    examples=[
        "regimetry sample sp500 -o spx.csv",
        "regimetry sample nasdaq --bars -o bars.csv",
        "regimetry sample simulated --kind s2 --seed 1 --rows 2000 -o sim.csv",
    ],
    arguments=[
        argument("name", choices=["sp500", "nasdaq", "simulated"]),
        output("table to write (.csv or .parquet)"),
        flag(
            "--bars",
            "for an index: open, high, low, close, adj close and volume, for fit --features ohlcv",
        ),
        argument("--kind", default="s2", help="simulator (default: %(default)s)"),
        argument("--seed", type=int, default=0, help="seed of the simulation (default: 0)"),
        argument("--rows", type=int, help="bars to simulate (default: the simulator's own)"),
    ],
)


def run(options: argparse.Namespace) -> None:
    """Write the sample."""
    path = options.output
    require_table_suffix(path)
    require_writable(path)
    beside = None
    if options.name == "simulated":
        if options.bars:
            raise ConfigError("--bars is for sp500 and nasdaq: a simulated series has no bars.")
        values, states = simulated_sample(options.kind, options.seed, options.rows)
        beside = str(path.with_suffix(f".states{path.suffix}"))
        write_table(states, beside)
        text = f"{path}: {len(values)} rows; true states in {beside}"
    else:
        values = market_sample(options.name, bars=options.bars)
        text = f"{path}: {len(values)} rows, {values.index[0]:%F} to {values.index[-1]:%F}"
    write_table(values, path)
    data = {
        "path": str(path),
        "rows": len(values),
        "columns": [str(name) for name in values.columns],
        "states": beside,
    }
    show(options, data, text)
