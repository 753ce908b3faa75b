"""Where a pretraining stands: all that it needs to go on, in one file."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.pretraining.initial import Weights, initial_weights
from regimetry.errors import ConfigError
from regimetry.files import replacing

CHECKPOINT = "checkpoint.npz"


@dataclass
class Checkpoint:
    """A pretraining between two chunks of series.

    Attributes
    ----------
    seed : int
    without : tuple of str
        Aspects that no series has.
    chunks, steps, series : int
        Drawn and learned so far.
    seconds : float
        Of the wall clock, in all runs.
    weights : dict of str to ndarray
    average : dict of str to ndarray
        Of the weights of the last steps, exponential: what is shipped.
    optimizer : dict of str to ndarray
        State of the optimizer; empty before the first step.
    """

    seed: int
    without: tuple[str, ...]
    weights: Weights
    average: Weights
    optimizer: dict[str, NDArray[np.float32]]
    chunks: int = 0
    steps: int = 0
    series: int = 0
    seconds: float = 0.0

    @classmethod
    def begin(cls, seed: int, without: Collection[str]) -> Checkpoint:
        """Return the state before the first step."""
        weights = initial_weights(seed)
        return cls(seed, tuple(sorted(without)), weights, dict(weights), {})

    @classmethod
    def read(cls, folder: Path) -> Checkpoint:
        """Read the state of a folder.

        Raises
        ------
        ConfigError
            The file is damaged, not whole, or of a network of another shape.
        """
        path = folder / CHECKPOINT
        try:
            with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
                parts = {name: file[name] for name in file.files}
            found = cls(
                seed=int(parts["seed"]),
                without=tuple(str(name) for name in parts["without"]),
                weights=_part(parts, "weights/"),
                average=_part(parts, "average/"),
                optimizer=_part(parts, "optimizer/"),
                chunks=int(parts["chunks"]),
                steps=int(parts["steps"]),
                series=int(parts["series"]),
                seconds=float(parts["seconds"]),
            )
        except Exception as error:  # whatever a damaged archive makes numpy stumble over
            raise ConfigError(
                f"{path} is no checkpoint of a pretraining ({error}). Begin in an empty folder."
            ) from error
        if bool(found.optimizer) != (found.steps > 0):
            raise ConfigError(
                f"{path} has {found.steps} steps and {len(found.optimizer)} arrays of the "
                "optimizer, so it is not whole. Begin in an empty folder."
            )
        expected = {name: array.shape for name, array in initial_weights(0).items()}
        kept = (found.weights, found.average)
        if any({name: array.shape for name, array in k.items()} != expected for k in kept):
            raise ConfigError(
                f"{path} is of a network of another shape. Begin in an empty folder, or go on "
                "with the release that wrote it."
            )
        return found

    def require(self, seed: int | None, without: Collection[str] | None) -> None:
        """Raise :class:`ConfigError` if another seed, or other aspects, are asked for."""
        for name, asked, own in (
            ("seed", seed, self.seed),
            ("without", None if without is None else tuple(sorted(without)), self.without),
        ):
            if asked is not None and asked != own:
                raise ConfigError(
                    f"{name} is {_said(asked)}; the checkpoint was begun with {_said(own)}. "
                    f"Leave --{name} out to go on, or begin in an empty folder."
                )

    def write(self, folder: Path) -> None:
        """Write the state, in the place of an earlier one."""
        arrays: dict[str, NDArray[np.generic]] = {
            name: np.asarray(getattr(self, name))
            for name in ("seed", "chunks", "steps", "series", "seconds")
        }
        arrays["without"] = np.asarray(self.without, dtype="U32")
        for part in ("weights", "average", "optimizer"):
            kept: Mapping[str, NDArray[np.float32]] = getattr(self, part)
            arrays |= {f"{part}/{name}": array for name, array in kept.items()}
        with replacing(folder / CHECKPOINT) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _said(value: int | tuple[str, ...]) -> str:
    return str(value) if isinstance(value, int) else ", ".join(value) or "no aspect"


def _part(parts: Mapping[str, NDArray[np.generic]], prefix: str) -> Weights:
    return {
        name.removeprefix(prefix): np.asarray(array, np.float32)
        for name, array in parts.items()
        if name.startswith(prefix)
    }
