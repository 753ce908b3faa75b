"""``python -m regimetry.encoder.pretraining FOLDER --hours 8``: pretrain, or go on with it."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from regimetry.encoder.pretraining.checkpoint import CHECKPOINT, Checkpoint
from regimetry.errors import ConfigError, RegimetryError


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="regimetry.encoder.pretraining", description=__doc__)
    parser.add_argument(
        "folder", type=Path, help="of checkpoint and curve; one that is there goes on"
    )
    parser.add_argument("--series", type=int, help="to learn from in all")
    parser.add_argument("--hours", type=float, help="of this run")
    parser.add_argument(
        "--without", nargs="*", default=(), metavar="ASPECT", help="aspects to leave out"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1, help="processes that draw series")
    parser.add_argument(
        "--every", type=float, default=120.0, metavar="SECONDS", help="a checkpoint"
    )
    given = parser.parse_args()
    try:
        run(given)
    except RegimetryError as error:
        parser.exit(2, f"{error}\n")


def run(given: argparse.Namespace) -> None:
    """Begin or go on, and write what came out."""
    if given.series is None and given.hours is None:
        raise ConfigError("No budget is given. Give --series or --hours.")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    from regimetry.encoder.pretraining.run import Budget, pretrain

    given.folder.mkdir(parents=True, exist_ok=True)
    if (given.folder / CHECKPOINT).exists():
        state = Checkpoint.read(given.folder)
    else:
        state = Checkpoint.begin(given.seed, given.without)
    pretrain(
        given.folder,
        state,
        Budget(given.series, given.hours),
        workers=given.workers,
        every_s=given.every,
        shown=True,
    )


if __name__ == "__main__":
    main()
