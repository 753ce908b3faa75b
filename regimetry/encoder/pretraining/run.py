"""A pretraining: series are drawn beside it, and it can be stopped and gone on with anywhere."""

from __future__ import annotations

import csv
import itertools
import time
from collections import deque
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from regimetry.encoder.pretraining.batches import Batch, draw_chunk
from regimetry.encoder.pretraining.checkpoint import Checkpoint
from regimetry.encoder.pretraining.drawing import chunks
from regimetry.encoder.pretraining.step import Trainer
from regimetry.errors import ConfigError, RegimetryError
from regimetry.files import replacing

CURVE = "curve.csv"

_PEAK, _WARM_UP, _FALLING = 1.5e-3, 200, 10_000  # learning rate, steps
_AVERAGED = 2000  # steps over which weights are averaged, at most a tenth of all
_VALIDATION_SEED, _VALIDATION_CHUNKS = 1_000_003, 9
_VALIDATION_SIZES = (20, 40, 160)


@dataclass(frozen=True)
class Budget:
    """When a run ends: at the first limit that is reached.

    Attributes
    ----------
    series : int or None
        In all, earlier runs included.
    hours : float or None
        Of this run.
    """

    series: int | None = None
    hours: float | None = None

    def spent(self, series: int, seconds: float) -> bool:
        """Whether a limit is reached."""
        return (self.series is not None and series >= self.series) or (
            self.hours is not None and seconds >= 3600.0 * self.hours
        )


def learning_rate(step: int) -> float:
    """Return the learning rate of a step: a warm-up, then it falls as one over the root.

    No end is planned, so that a run may end anywhere.
    """
    return _PEAK * min(1.0, (step + 1) / _WARM_UP) * float(np.sqrt(1 / (1 + step / _FALLING)))


def pretrain(
    folder: Path,
    state: Checkpoint,
    budget: Budget,
    *,
    workers: int,
    every_s: float,
    shown: bool,
    batches: int = 1,
    xla: bool = False,
    stopped: Callable[[], bool] = lambda: False,
) -> None:
    """Go on from a state until the budget is spent, and leave a checkpoint now and then.

    The same chunks in the same order give the same weights on one machine, whatever the runs, if
    all of them compile their steps or none does, and their steps have as many batches.

    Parameters
    ----------
    folder : Path
        Gets ``checkpoint.npz`` and ``curve.csv``.
    state : Checkpoint
        Changed in place. One whose budget is spent stays as it is.
    budget : Budget
    workers : int
        Processes that draw series; 0: this one draws them.
    every_s : float
        Seconds between two checkpoints.
    shown : bool
        Show a progress bar, if standard error is a terminal.
    batches : int
        Of a step, which are computed side by side; 4 at most.
    xla : bool
        Compile each step with XLA: some minutes at first, and more series a second afterwards.
    stopped : callable
        Asked after each chunk: true ends the run as a spent budget does.

    Raises
    ------
    RegimetryError
        A process that draws was ended from outside.
    """
    if budget.spent(state.series, 0.0):
        return
    trainer, averaged = Trainer(state.weights, xla=xla), Trainer(state.average)
    trainer.restore(state.optimizer)
    validation = _validation(state)
    begun = last = time.monotonic()
    before, entropies = state.seconds, deque[float](maxlen=400)

    def leave() -> None:
        state.weights, state.optimizer = trainer.weights(), trainer.optimizer_state()
        state.write(folder)
        averaged.assign(state.average)
        scores = np.array([averaged.score(batch)[1:] for batch in validation])
        _add_to_curve(folder, state, float(np.mean(entropies)), *scores.mean(axis=0))

    with (
        closing(chunks(state.seed, state.chunks, without=state.without, workers=workers)) as drawn,
        tqdm(
            total=budget.series,
            initial=state.series,
            unit="series",
            disable=None if shown else True,  # None: tqdm's own check for a terminal
        ) as bar,
    ):
        for chunk in drawn:
            for first in range(0, len(chunk), batches):
                some = chunk[first : first + batches]
                entropies.append(trainer.step(some, learning_rate(state.steps)))
                state.steps += 1
                _average(state, trainer)
                series = sum(len(batch.rows) for batch in some)
                state.series += series
                bar.update(series)
            state.chunks += 1
            now = time.monotonic()
            state.seconds = before + now - begun
            ends = budget.spent(state.series, now - begun) or stopped()
            if ends or now - last >= every_s:
                last = now
                leave()
            if ends:
                return
        # A signal to all processes of a terminal ends those that draw, too.
        if entropies:
            leave()
        if not stopped():
            raise RegimetryError(
                "A process that draws series was ended from outside, perhaps for want of memory. "
                "Checkpoint and curve are written: run the command again, with fewer --workers."
            )


def last_scores(folder: Path) -> tuple[float, float]:
    """Return the last cross-entropy of the curve on series of their own, and the share right.

    Raises
    ------
    ConfigError
        There is no curve.
    """
    lines = _curve(folder)
    if not lines:
        raise ConfigError(
            f"{folder / CURVE} has no line, so nothing says how good the weights are. Go on with a "
            "larger budget."
        )
    return float(lines[-1]["entropy"]), float(lines[-1]["right"])


def _validation(state: Checkpoint) -> list[Batch]:
    """Draw series of their own, the same for every pretraining without the same aspects."""
    drawn = (
        draw_chunk(
            _VALIDATION_SEED,
            number,
            (_VALIDATION_SIZES[number % len(_VALIDATION_SIZES)],),
            without=state.without,
        )
        for number in range(_VALIDATION_CHUNKS)
    )
    return list(itertools.chain.from_iterable(drawn))


def _average(state: Checkpoint, trainer: Trainer) -> None:
    share = 1.0 / min(_AVERAGED, 1 + state.steps // 10)
    for name, variable in trainer.variables.items():
        state.average[name] = state.average[name] + np.float32(share) * (
            np.asarray(variable.value) - state.average[name]
        )


def _add_to_curve(
    folder: Path, state: Checkpoint, trained: float, entropy: float, right: float
) -> None:
    """Add a line: cross-entropy while training, and of the average on series of their own."""
    row = {
        "series": state.series,
        "hours": round(state.seconds / 3600, 4),
        "trained": round(trained, 5),
        "entropy": round(entropy, 5),
        "right": round(right, 5),
    }
    lines = [*_curve(folder), row]
    with replacing(folder / CURVE) as temporary, temporary.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        writer.writeheader()
        writer.writerows(lines)


def _curve(folder: Path) -> list[dict[str, Any]]:
    """Return the lines of the curve that are whole."""
    path = folder / CURVE
    text = path.read_text("utf-8") if path.exists() else ""
    return list(csv.DictReader(text[: text.rfind("\n") + 1].splitlines()))
