"""The command; see the package."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks.arguments import add_output, add_page, names_of
from benchmarks.machine import THREADS, describe_machine

os.environ.update(dict.fromkeys(THREADS, "1"))  # before numpy is loaded

from tqdm import tqdm

from benchmarks.market.methods import METHODS
from benchmarks.market.scores import walked
from benchmarks.market.series import MARKETS, bars_of
from benchmarks.market.tables import draw, sections
from benchmarks.market.unit import units_of
from benchmarks.regimes.document import command_of, write_section


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark and print its tables."""
    options = _parser().parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    results = {
        market: {
            method: _walk(market, method, options.output)
            for method in options.methods
            if (market, method) not in options.without
        }
        for market in options.markets
        if bars_of(market) is not None
    }
    command = command_of("market", arguments)
    packages = sorted({name for m in options.methods for name in METHODS[m].packages})
    text = f"{sections(results)}`{command}`\n\n{describe_machine(tuple(packages))}\n"
    (options.output / "market.md").write_text(text)
    if "one_t" in options.methods:
        draw(results, options.output / "market.png")
        if options.write is not None:
            draw(results, options.write.parent / "images" / "market.png")
    if options.write is not None:
        write_section(options.write, "market", text)
    print(text)
    return 0


def _walk(market: str, method: str, folder: Path):
    units = units_of(market, method)
    progress = tqdm(units, f"{market} {method}", file=sys.stderr)
    answers, seconds = zip(*(unit.run(folder) for unit in progress), strict=True)
    return walked(units, answers, seconds)


def _pair(text: str) -> tuple[str, str]:
    market, _, method = text.partition(":")
    if market not in MARKETS or method not in METHODS:
        raise argparse.ArgumentTypeError(f"{text!r} is no MARKET:METHOD")
    return market, method


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.market", description=__doc__)
    parser.add_argument(
        "--markets", type=names_of(MARKETS), default=list(MARKETS), help=", ".join(MARKETS)
    )
    parser.add_argument(
        "--methods", type=names_of(METHODS), default=list(METHODS), help=", ".join(METHODS)
    )
    parser.add_argument(
        "--without",
        type=_pair,
        action="append",
        default=[],
        metavar="MARKET:METHOD",
        help="leave out one method on one market",
    )
    add_output(parser)
    add_page(parser)
    return parser


if __name__ == "__main__":
    sys.exit(main())
