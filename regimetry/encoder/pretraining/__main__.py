"""``python -m regimetry.encoder.pretraining FOLDER --hours 8``: pretrain, or go on with it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from regimetry.encoder.pretraining.batches import CHUNK
from regimetry.encoder.pretraining.checkpoint import CHECKPOINT, Checkpoint
from regimetry.encoder.pretraining.interrupts import ended_by_signals
from regimetry.encoder.pretraining.prior.aspects import ASPECTS, allowed_aspects
from regimetry.encoder.pretraining.weights import write_weights
from regimetry.encoder.quiet import import_tensorflow_quietly
from regimetry.errors import ConfigError, InstallError, RegimetryError
from regimetry.files import alone

WEIGHTS = "weights.npz"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        prog="python -m regimetry.encoder.pretraining",
        description="Pretrain the encoder on drawn series, or go on with it. Ctrl-C ends it.",
    )
    add = parser.add_argument
    add("folder", type=Path, help="of checkpoint, curve and weights; goes on with what is there")
    add("--series", type=int, metavar="N", help="how many to learn from in all")
    add("--hours", type=float, metavar="X", help="how long this run takes at most")
    add("--seed", type=int, metavar="N", help="of weights and series (0)")
    add(
        "--without",
        nargs="*",
        metavar="ASPECT",
        help=f"what regimes do not differ by, and no series has: {', '.join(ASPECTS)}",
    )
    add("--workers", type=int, default=1, metavar="N", help="processes that draw series (1)")
    add("--every", type=float, default=120.0, metavar="S", help="between two checkpoints (120)")
    how = f"of a step, 1 to {CHUNK}, side by side (1)"
    add("--batches", type=int, default=1, metavar="N", help=how)
    add("--xla", action="store_true", help="compile the steps: minutes at first, faster then")
    try:
        print(run(parser.parse_args(arguments)))
    except RegimetryError as error:
        parser.exit(2, f"{error}\n")
    except KeyboardInterrupt:
        parser.exit(130)


def run(given: argparse.Namespace) -> str:
    """Begin or go on until the budget is spent; write the weights and say where they are."""
    _check(given)
    with alone(given.folder):
        if (given.folder / CHECKPOINT).exists():
            state = Checkpoint.read(given.folder)
            state.require(given.seed, given.without)
        else:
            state = Checkpoint.begin(given.seed or 0, given.without or ())
        _import_tensorflow()
        from regimetry.encoder.pretraining.card import card_of
        from regimetry.encoder.pretraining.run import Budget, pretrain

        with ended_by_signals() as asked:
            pretrain(
                given.folder,
                state,
                Budget(given.series, given.hours),
                workers=given.workers,
                every_s=given.every,
                shown=True,
                batches=given.batches,
                xla=given.xla,
                stopped=asked.is_set,
            )
            card, path = card_of(given.folder, state), given.folder / WEIGHTS
            write_weights(path, state.average, card)
    return (
        f"Wrote {path}: {card['series']} series in {card['hours']:.2f} hours, cross-entropy "
        f"{card['entropy']:.3f}, {card['right']:.0%} of the states told right."
    )


def _check(given: argparse.Namespace) -> None:
    if given.series is None and given.hours is None:
        raise ConfigError("No budget is given. Give --series or --hours.")
    for name in ("series", "hours"):
        value = getattr(given, name)
        if value is not None and not value > 0:
            raise ConfigError(f"--{name} is {value}; it must be positive.")
    for name in ("seed", "workers", "every"):
        value = getattr(given, name)
        if value is not None and not value >= 0:
            raise ConfigError(f"--{name} is {value}; it must be 0 or more.")
    if not 1 <= given.batches <= CHUNK:
        raise ConfigError(f"--batches is {given.batches}; it must be 1 to {CHUNK}.")
    if not allowed_aspects(given.without or ()):
        raise ConfigError(
            "--without leaves no aspect, so that no series had two states. Leave one at least in."
        )


def _import_tensorflow() -> None:
    import_tensorflow_quietly()
    try:
        import tensorflow as tf
    except ImportError as error:
        raise InstallError(
            "The pretraining needs TensorFlow, which is not installed. Run: pip install "
            "'regimetry[train]'."
        ) from error
    tf.get_logger().setLevel("ERROR")  # it warns that each size of windows is traced


if __name__ == "__main__":
    main()
