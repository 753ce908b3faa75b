"""A pretraining: series are drawn beside it, and it can be stopped and gone on with anywhere."""

from __future__ import annotations

import csv
import itertools
import os
import time
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from tqdm import tqdm

from regimetry.encoder.pretraining.batches import Batch, draw_chunk, sizes_of
from regimetry.encoder.pretraining.checkpoint import Checkpoint
from regimetry.encoder.pretraining.step import Trainer

CURVE = "curve.csv"

_PEAK, _WARM_UP, _FALLING = 1.5e-3, 200, 10_000  # learning rate, steps
_AVERAGED = 2000  # steps over which weights are averaged, at most a tenth of all
_VALIDATION_SEED, _VALIDATION_CHUNKS = 1_000_003, 9
_VALIDATION_SIZES = (20, 40, 160)
_AHEAD = 4  # chunks that are drawn before they are needed


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
    folder: Path, state: Checkpoint, budget: Budget, *, workers: int, every_s: float, shown: bool
) -> Checkpoint:
    """Go on from a state until the budget is spent, and leave a checkpoint now and then.

    The same chunks in the same order give the same weights on one machine, whatever the runs.

    Parameters
    ----------
    folder : Path
        Gets ``checkpoint.npz`` and ``curve.csv``.
    state : Checkpoint
    budget : Budget
    workers : int
        Processes that draw series.
    every_s : float
        Seconds between two checkpoints.
    shown : bool
        Show a progress bar.

    Returns
    -------
    Checkpoint
    """
    trainer = Trainer(state.weights)
    trainer.restore(state.optimizer)
    validation = [
        batch
        for number in range(_VALIDATION_CHUNKS)
        for batch in draw_chunk(
            _VALIDATION_SEED,
            number,
            (_VALIDATION_SIZES[number % len(_VALIDATION_SIZES)],),
            without=state.without,
        )
    ]
    averaged = Trainer(state.average)
    begun = last = time.monotonic()
    before, entropies = state.seconds, deque[float](maxlen=400)
    with tqdm(total=budget.series, initial=state.series, unit="series", disable=not shown) as bar:
        for chunk in _chunks(state, workers):
            for batch in chunk:
                _, entropy, _ = trainer.step(batch, learning_rate(state.steps))
                state.steps += 1
                state.series += len(batch.rows)
                entropies.append(entropy)
                _average(state, trainer)
                bar.update(len(batch.rows))
            state.chunks += 1
            now = time.monotonic()
            state.seconds = before + now - begun
            ends = budget.spent(state.series, now - begun)
            if ends or now - last >= every_s:
                last = now
                state.weights, state.optimizer = trainer.weights(), trainer.optimizer_state()
                state.write(folder)
                averaged.assign(state.average)
                scores = np.array([averaged.score(batch)[1:] for batch in validation])
                _add_to_curve(folder, state, float(np.mean(entropies)), *scores.mean(axis=0))
            if ends:
                break
    return state


def _chunks(state: Checkpoint, workers: int) -> Iterator[list[Batch]]:
    """Draw the next chunks in other processes, a few ahead."""
    draw = partial(draw_chunk, state.seed, without=state.without)
    with ProcessPoolExecutor(workers, get_context("spawn"), os.nice, (5,)) as pool:
        ahead: deque[Future[list[Batch]]] = deque()
        for number in itertools.count(state.chunks):
            ahead.append(pool.submit(draw, number, sizes_of(number)))
            if len(ahead) > _AHEAD * workers:
                try:
                    yield ahead.popleft().result()
                except GeneratorExit:
                    pool.shutdown(cancel_futures=True)
                    raise


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
    path = folder / CURVE
    fresh = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, list(row))
        if fresh:
            writer.writeheader()
        writer.writerow(row)
