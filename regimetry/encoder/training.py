"""Training of an encoder by an objective: time-ordered validation, early stopping, seeds."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from regimetry.encoder.objectives import Objective
from regimetry.errors import ConfigError, DataError
from regimetry.parameters import require_integer


@dataclass(frozen=True, kw_only=True)
class TrainingOptions:
    """How long and how fast to train.

    Parameters
    ----------
    epochs : int
        Most passes over the training windows.
    batch_size : int
        Windows of one step.
    learning_rate : float
        Of Adam.
    validation_fraction : float
        Share of the windows, the latest ones, held out for early stopping, in (0, 1).
    patience : int
        Epochs without improvement before training stops.

    Raises
    ------
    ConfigError
        A field has a value that is not allowed.
    """

    epochs: int = 8
    batch_size: int = 64
    learning_rate: float = 1e-3
    validation_fraction: float = 0.2
    patience: int = 3

    def __post_init__(self) -> None:
        for field in ("epochs", "batch_size", "patience"):
            require_integer(field, getattr(self, field), 1)
        if not self.learning_rate > 0:
            raise ConfigError(f"learning_rate is {self.learning_rate!r}; it must be positive.")
        if not 0.0 < self.validation_fraction < 1.0:
            raise ConfigError(
                f"validation_fraction is {self.validation_fraction!r}; it must lie in (0, 1)."
            )


def split_by_time(
    n_windows: int, window_size: int, validation_fraction: float
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split windows into an early training and a late validation part that share no row.

    Parameters
    ----------
    n_windows : int
        N, windows in time order, stride 1.
    window_size : int
        W; as many windows between the parts are dropped, since they overlap both.
    validation_fraction : float
        Share of the windows that validate.

    Returns
    -------
    training, validation : ndarray of int64
        Window numbers.

    Raises
    ------
    DataError
        Nothing is left to train on.
    """
    n_validation = max(1, round(n_windows * validation_fraction))
    n_training = n_windows - n_validation - (window_size - 1)
    if n_training < 1:
        raise DataError(
            f"{n_windows} windows are too few to train on: {n_validation} validate and "
            f"{window_size - 1} overlap both parts. Give more rows, a smaller window_size, or "
            "objective=None, which leaves the encoder untrained."
        )
    return np.arange(n_training), np.arange(n_windows - n_validation, n_windows)


class _Batches(keras.utils.PyDataset):
    """Batches of an objective; every draw comes from (seed, epoch, batch number)."""

    def __init__(
        self,
        objective: Objective,
        windows: NDArray[np.float32],
        index: NDArray[np.int64],
        *,
        batch_size: int,
        seed: tuple[int, ...],
        shuffle: bool,
    ) -> None:
        super().__init__()
        self.objective, self.windows, self.index = objective, windows, index
        self.batch_size, self.seed, self.shuffle = batch_size, seed, shuffle
        self.epoch = 0
        self._order()

    def _order(self) -> None:
        generator = np.random.default_rng([*self.seed, self.epoch])
        self.order = generator.permutation(self.index) if self.shuffle else self.index

    def __len__(self) -> int:
        return math.ceil(len(self.index) / self.batch_size)

    def __getitem__(self, number: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        chosen = self.order[number * self.batch_size : (number + 1) * self.batch_size]
        generator = np.random.default_rng([*self.seed, self.epoch, number, 1])
        return self.objective.batch(self.windows, chosen, generator)

    def on_epoch_end(self) -> None:
        if self.shuffle:  # the validation batches stay the same, so that epochs compare
            self.epoch += 1
            self._order()


class _Progress(keras.callbacks.Callback):
    """A bar over the epochs, with the latest losses and the time left."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.bar = tqdm(total=epochs, desc="training", unit="epoch", leave=False)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Advance by one epoch."""
        logs = logs or {}
        self.bar.set_postfix(loss=f"{logs['loss']:.4f}", validation=f"{logs['val_loss']:.4f}")
        self.bar.update()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        """Close the bar."""
        self.bar.close()


def train_encoder(
    encoder: keras.Model,
    windows: NDArray[np.float32],
    objective: Objective,
    options: TrainingOptions,
    *,
    seed: int = 0,
    progress: bool = False,
) -> dict[str, list[float]]:
    """Train ``encoder`` in place and leave it with the weights of its best validation loss.

    Parameters
    ----------
    encoder : keras.Model
        Built by :func:`~regimetry.encoder.build_encoder`.
    windows : ndarray of float32, shape (N, W, F)
        Standardised windows in time order, stride 1. A view will do.
    objective : Objective
        What to learn.
    options : TrainingOptions
        How long and how fast.
    seed : int
        Of shuffling and masking. Initial weights and dropout draw from Keras's global state.
    progress : bool
        Show a progress bar on standard error.

    Returns
    -------
    dict of list of float
        ``loss`` and ``val_loss``, one number an epoch.

    Raises
    ------
    DataError
        Too few windows for a time-ordered validation part.
    """
    training, validation = split_by_time(
        len(windows), windows.shape[1], options.validation_fraction
    )
    model = objective.attach(encoder)
    model.compile(
        optimizer=keras.optimizers.Adam(options.learning_rate, clipnorm=1.0),
        loss=objective.loss,
        jit_compile=False,
    )
    callbacks: list[keras.callbacks.Callback] = [
        keras.callbacks.EarlyStopping(
            "val_loss", patience=options.patience, restore_best_weights=True
        )
    ]
    if progress:
        callbacks.append(_Progress(options.epochs))
    batches = [
        _Batches(
            objective,
            windows,
            index,
            batch_size=options.batch_size,
            seed=(seed, part),
            shuffle=part == 0,
        )
        for part, index in enumerate((training, validation))
    ]
    history = model.fit(
        batches[0],
        validation_data=batches[1],
        epochs=options.epochs,
        callbacks=callbacks,
        shuffle=False,
        verbose=0,
    )
    return {name: [float(value) for value in curve] for name, curve in history.history.items()}
