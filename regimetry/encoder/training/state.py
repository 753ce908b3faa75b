"""The state of a training: all that a resume needs to go on as if it had never stopped."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np
from numpy.typing import NDArray

from regimetry.errors import ConfigError, ModelError
from regimetry.files import replacing

_FILE = "training.npz"

Arrays = list[NDArray[Any]]


@dataclass
class TrainingState:
    """Steps done, loss curves and the best weights so far.

    Attributes
    ----------
    step : int
    history : dict of list of float
        ``step``, ``loss`` and, with a validation part, ``val_loss``; one number per round.
    best_loss : float
        Smallest validation loss, that of the untrained weights included.
    stale : int
        Rounds since then.
    best : list of ndarray
        Values of the model's variables at the best loss; at the latest without a validation part.
    """

    step: int = 0
    history: dict[str, list[float]] = field(default_factory=dict)
    best_loss: float = float("inf")
    stale: int = 0
    best: Arrays = field(default_factory=list)

    def start(self, losses: dict[str, float]) -> None:
        """Take the loss of the untrained weights as the best so far."""
        if math.isfinite(losses.get("val_loss", math.inf)):
            self.best_loss = losses["val_loss"]

    def record(self, model: keras.Model, steps: int, losses: dict[str, float]) -> None:
        """End a round: append to the curves, and keep the model's values if they are the best.

        Without a validation loss the latest are.
        """
        self.step += steps
        for name, value in {"step": self.step, **losses}.items():
            self.history.setdefault(name, []).append(value)
        if losses.get("val_loss", -math.inf) < self.best_loss:
            self.best, self.stale = copies_of(model.variables), 0
            self.best_loss = losses.get("val_loss", self.best_loss)
        else:
            self.stale += 1


def copies_of(variables: list[Any]) -> Arrays:
    """Return copies of the values of Keras variables."""
    return [np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables]


def assign(variables: list[Any], values: Arrays) -> None:
    """Set Keras variables."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def save_state(
    folder: Path, state: TrainingState, model: keras.Model, identity: dict[str, Any]
) -> None:
    """Write a checkpoint, complete or not at all; the one before it is replaced.

    Weights, dropout's random state, the optimiser's moments, the best weights and the curves.

    Parameters
    ----------
    folder : Path
        Exists.
    identity : dict
        Plain data that a training must share to go on from here.

    Raises
    ------
    DataError
        The folder cannot be written to.
    """
    facts = {
        "identity": identity,
        "step": state.step,
        "history": state.history,
        "best_loss": state.best_loss,
        "stale": state.stale,
    }
    groups = {
        "model": copies_of(model.variables),
        "optimizer": copies_of(model.optimizer.variables),
        "best": state.best,
    }
    arrays: dict[str, Any] = {
        f"{group}_{number}": value
        for group, values in groups.items()
        for number, value in enumerate(values)
    }
    with replacing(folder / _FILE) as temporary:
        np.savez(temporary, facts=np.array(json.dumps(facts)), **arrays)


def load_state(folder: Path, model: keras.Model, identity: dict[str, Any]) -> TrainingState | None:
    """Read a checkpoint into a compiled and built model; ``None`` if the folder has none.

    Raises
    ------
    ModelError
        The file is damaged, or of a model of another shape.
    ConfigError
        It belongs to a training with other data or settings.
    """
    path = folder / _FILE
    if not path.exists():
        return None
    try:
        with path.open("rb") as content, np.load(content, allow_pickle=False) as file:
            facts = json.loads(str(file["facts"]))
            groups = {
                group: [
                    file[f"{group}_{number}"]
                    for number in range(sum(name.startswith(f"{group}_") for name in file.files))
                ]
                for group in ("model", "optimizer", "best")
            }
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ModelError(
            f"{path} cannot be read as a checkpoint ({error}). Delete it to start anew."
        ) from error
    for name, expected in identity.items():
        found = facts["identity"].get(name)
        if found != expected:
            raise ConfigError(
                f"The checkpoint {path} is of a training whose {name} is {found!r}; this one's is "
                f"{expected!r}. Choose another folder, or delete the file to start anew."
            )
    try:
        assign(model.variables, groups["model"])
        assign(model.optimizer.variables, groups["optimizer"])
    except ValueError as error:
        raise ModelError(
            f"{path} is of another encoder ({error}). Choose another folder, or delete the file."
        ) from error
    return TrainingState(
        facts["step"], facts["history"], facts["best_loss"], facts["stale"], groups["best"]
    )
