"""The training loop: rounds of steps, the weights of the best round, stop and resume."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from regimetry.encoder.training.parts import split_series
from regimetry.encoder.training.state import (
    TrainingState,
    assign,
    copies_of,
    load_state,
    save_state,
)
from regimetry.encoder.training.training_options import TrainingOptions
from regimetry.windows import Windows

if TYPE_CHECKING:
    from regimetry.encoder.objectives.objective import Objective

_MOST_VALIDATION = 1024  # windows in the one validation batch: bounds memory on long series

_WORTH_COMPILING = 1e7
"""Windows of a step times weights from which XLA's compilation, some seconds, is soon made up for.

The budget has no say: a training that is resumed with a larger one must go on as it began.
"""

Round = Callable[[int, dict[str, float]], None]


def train_encoder(
    encoder: keras.Model,
    windows: NDArray[np.float32] | Sequence[NDArray[np.float32]],
    objective: Objective,
    options: TrainingOptions | None = None,
    *,
    seed: int = 0,
    progress: bool = False,
    checkpoint: str | PathLike[str] | None = None,
    on_round: Round | None = None,
) -> dict[str, list[float]]:
    """Train ``encoder`` in place and leave it with the weights of its best validation loss.

    The untrained weights compete too: they stay if no round has a better validation loss.
    Ctrl-C (``KeyboardInterrupt``) ends the training with a warning and keeps the best weights.

    Parameters
    ----------
    encoder : keras.Model
        Built by :func:`~regimetry.encoder.build_encoder`, or one of your own.
    windows : ndarray of float32, shape (N, W, F), or a sequence of such
        Standardised windows in time order, stride 1; several series as a sequence, of any
        lengths. Views will do. No pair of windows and no split crosses a series.
    objective : Objective
        What to learn.
    options : TrainingOptions or None
        ``None`` takes the objective's own.
    seed : int
        Of every draw of the loop. Initial weights and dropout draw from Keras's global state.
    progress : bool
        Show a bar with the time left on standard error, if that is a terminal.
    checkpoint : path or None
        Folder, made if missing, that keeps where the training stands after each round. A training
        that finds one there goes on from it, and ends with the weights of one never stopped.
    on_round : callable or None
        Called after each round with the step and that round's losses.

    Returns
    -------
    dict of list of float
        ``step``, ``loss`` and, with a validation part, ``val_loss``; one number per round.

    Raises
    ------
    DataError
        Too few windows for a time-ordered validation part.
    ConfigError
        The encoder does not fit the objective, or the checkpoint is of another training.
    ModelError
        The checkpoint cannot be read.
    """
    options = options or objective.options
    series = [windows] if isinstance(windows, np.ndarray) else list(windows)
    training, validation = split_series(series, options.validation_fraction, objective.reach)
    model = objective.attach(encoder, training)
    with warnings.catch_warnings():
        # Keras goes on without it for layers that say so, and in TensorFlow's deterministic mode.
        warnings.filterwarnings("ignore", "Model doesn't support `jit_compile=True`")
        model.compile(
            optimizer=keras.optimizers.Adam(options.learning_rate, clipnorm=1.0),
            loss=objective.loss,
            jit_compile=_is_worth_compiling(model, options.batch_size),
        )
    model.optimizer.build(model.trainable_variables)

    draws = _Draws(objective, training, validation, options.batch_size, seed)
    folder = None if checkpoint is None else Path(checkpoint)
    total, round_steps = options.budget(len(training))
    identity = _identity(objective, options, round_steps, series, seed)
    state = None
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        state = load_state(folder, model, identity)
    state = state or TrainingState(best=copies_of(model.variables))
    try:
        with tqdm(
            total=total,
            initial=state.step,
            desc="training",
            unit="step",
            leave=False,
            disable=None if progress else True,  # None: tqdm's own check for a terminal
        ) as bar:
            if not state.history:
                state.start(_validate(model, draws))
            while state.step < total and state.stale < options.patience:
                losses = _round(model, draws, state.step, min(round_steps, total - state.step), bar)
                latest = {"loss": float(np.mean(losses)), **_validate(model, draws)}
                if not np.isfinite(list(latest.values())).all():
                    found = " and ".join(f"{name} {value}" for name, value in latest.items())
                    warnings.warn(
                        f"Training ended after {state.step + len(losses)} steps with {found}; the "
                        "best weights before are kept. Lower learning_rate.",
                        stacklevel=2,
                    )
                    break
                state.record(model, len(losses), latest)
                bar.set_postfix({name: f"{value:.4f}" for name, value in latest.items()})
                if folder is not None:
                    save_state(folder, state, model, identity)
                if on_round is not None:
                    on_round(state.step, latest)
    except KeyboardInterrupt:
        warnings.warn(
            f"Training was interrupted in the round after step {state.step} of {total}; the best "
            "weights so far are kept.",
            stacklevel=2,
        )
    assign(model.variables, state.best)
    return state.history


def _is_worth_compiling(model: keras.Model, batch_size: int) -> bool:
    return batch_size * model.count_params() >= _WORTH_COMPILING


def _round(model: keras.Model, draws: _Draws, first: int, steps: int, bar: tqdm) -> list[float]:
    losses = []
    for step in range(first, first + steps):
        losses.append(float(model.train_on_batch(*draws.training(step))))
        bar.update()
    return losses


def _validate(model: keras.Model, draws: _Draws) -> dict[str, float]:
    """Return ``val_loss`` where something validates."""
    if draws.validation is None:
        return {}
    return {"val_loss": float(model.test_on_batch(*draws.validation))}


class _Draws:
    """Batches; what a step draws depends on the seed and the step alone, so a resume repeats it."""

    def __init__(
        self,
        objective: Objective,
        training: Windows,
        validation: Windows,
        batch_size: int,
        seed: int,
    ) -> None:
        self._objective, self._windows, self._seed = objective, training, seed
        self._anchors = training.with_later(objective.reach)
        self._size = min(batch_size, len(self._anchors))
        self.validation = None
        if len(validation):  # the same batch every time, so that rounds compare
            anchors = validation.with_later(objective.reach)
            count = min(_MOST_VALIDATION, len(anchors))
            chosen = anchors[np.linspace(0, len(anchors) - 1, count).astype(np.int64)]
            generator = np.random.default_rng([seed, 1])
            self.validation = objective.batch(validation, chosen, generator, training=False)

    def training(self, step: int) -> tuple[Any, Any]:
        """Return inputs and targets of a step."""
        generator = np.random.default_rng([self._seed, 0, step])
        chosen = generator.choice(self._anchors, self._size, replace=False)
        return self._objective.batch(self._windows, chosen, generator, training=True)


def _identity(
    objective: Objective,
    options: TrainingOptions,
    round_steps: int,
    series: Sequence[NDArray[np.float32]],
    seed: int,
) -> dict[str, Any]:
    """Return what two trainings share if one can go on where the other stopped.

    The budget may differ: a longer one goes on.
    """
    rows = hashlib.sha256()
    for windows in series:
        rows.update(repr(windows.shape).encode())
        rows.update(np.ascontiguousarray(windows[:, 0]).tobytes())  # of stride 1: all rows but the
        rows.update(np.ascontiguousarray(windows[-1]).tobytes())  # last window's
    return {
        "objective": repr(objective),
        "seed": seed,
        "batch_size": options.batch_size,
        "learning_rate": options.learning_rate,
        "validation_fraction": options.validation_fraction,
        "round_steps": round_steps,
        "data": rows.hexdigest(),
    }
