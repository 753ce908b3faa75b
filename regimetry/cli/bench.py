"""``regimetry bench``: how long a model takes on this machine."""

from __future__ import annotations

import argparse

from regimetry.cli.arguments import DEVICE, MODEL
from regimetry.cli.output import show, text_table
from regimetry.cli.verb import Verb, argument

VERB = Verb(
    help="time a model on this machine",
    description="Time a tick of a stream, a long series in batches and a push to a bank of series, "
    "for the regime alone, with novelty, for the embedding and for all outputs: quantiles in "
    "microseconds per bar.",
    examples=["regimetry bench spx.onnx", "regimetry bench spx.onnx --streams 5000 --json"],
    arguments=[
        MODEL,
        argument(
            "--streams",
            type=int,
            default=1000,
            metavar="N",
            help="series of the bank (default: %(default)s)",
        ),
        argument(
            "--seconds",
            type=int,
            default=10,
            metavar="S",
            help="about how long to measure (default: %(default)s)",
        ),
        DEVICE,
    ],
)


def run(options: argparse.Namespace) -> None:
    """Measure and print."""
    from regimetry.check.timing import time_model

    found = time_model(
        options.model, device=options.device, seconds=options.seconds, n_streams=options.streams
    )
    quantiles = ("p50", "p99", "p99.9")
    rows = [
        [f"{entry['way']}: {entry['outputs']}", *(f"{entry[name]:.2f}" for name in quantiles)]
        for entry in found["figures"]
    ]
    table = text_table(["microseconds per bar", *quantiles], rows)
    about = (
        f"{found['file']} on {found['provider']}, loaded in {found['load_ms']:.0f} ms. A batch is "
        f"a series of {found['series_bars']} bars on {found['threads']} threads, a push to the "
        f"bank {found['streams']} bars; a tick and a push give the regime in any case."
    )
    show(options, found, f"{table}\n\n{about}")
