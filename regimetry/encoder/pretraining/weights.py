"""The file of pretrained weights: arrays, what they are of, and their sum."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.pretraining.initial import Weights, initial_weights
from regimetry.errors import ConfigError
from regimetry.files import replacing

FORMAT = 1

BUILT_IN = Path(str(files("regimetry") / "encoder" / "pretraining" / "pretrained.npz"))
"""The weights that come with regimetry."""


@dataclass(frozen=True)
class PretrainedWeights:
    """Weights with their card.

    Attributes
    ----------
    arrays : mapping of str to ndarray of float32
    card : mapping
        What they were trained on: ``seed``, ``without``, ``series``, ``hours``, ``entropy`` and
        ``right`` on series of their own.
    sum : str
        SHA-256 of the arrays.
    """

    arrays: Weights
    card: Mapping[str, Any]
    sum: str


def write_weights(path: Path, arrays: Weights, card: Mapping[str, Any]) -> None:
    """Write weights with their card and their sum."""
    content: dict[str, Any] = {f"weights/{name}": array for name, array in arrays.items()}
    content |= {"format": FORMAT, "card": json.dumps(card), "sum": sum_of(arrays)}
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **content)


def read_weights(path: Path) -> PretrainedWeights:
    """Read weights.

    Raises
    ------
    ConfigError
        The file is missing or damaged, of another format or shape, lacks its card or numbers, or
        its sum is another.
    """
    try:
        with path.open("rb") as opened, np.load(opened, allow_pickle=False) as file:
            parts = {name: file[name] for name in file.files}
        version, card = int(parts.pop("format")), json.loads(str(parts.pop("card")))
        expected = str(parts.pop("sum"))
        arrays = {name.removeprefix("weights/"): array for name, array in parts.items()}
    except Exception as error:  # whatever a damaged archive makes numpy stumble over
        raise ConfigError(
            f"{path} cannot be read as pretrained weights ({error}); expected a file that "
            "`python -m regimetry.encoder.pretraining` wrote. Give its path, or "
            "encoder='pretrained' for those that come with regimetry."
        ) from error
    if version != FORMAT:
        raise ConfigError(
            f"{path} has weights of format {version}; this release reads format {FORMAT}. Use the "
            "release that wrote them, or train them again."
        )
    shapes = {name: (array.shape, "float32") for name, array in initial_weights(0).items()}
    if {name: (array.shape, str(array.dtype)) for name, array in arrays.items()} != shapes:
        raise ConfigError(
            f"{path} has the weights of a network of another shape. Train them again with this "
            "release."
        )
    if "series" not in card or not all(np.isfinite(array).all() for array in arrays.values()):
        raise ConfigError(
            f"{path} has no card, or weights that are no numbers; expected a file that `python -m "
            "regimetry.encoder.pretraining` wrote. Take it again from where it came from."
        )
    found = sum_of(arrays)
    if found != expected:
        raise ConfigError(
            f"The weights of {path} have the sum {found[:12]}, and the file says {expected[:12]}. "
            "It was changed after it was written; take it again from where it came from."
        )
    return PretrainedWeights(arrays, card, found)


def sum_of(arrays: Mapping[str, NDArray[np.float32]]) -> str:
    """Return the SHA-256 of names and values of arrays."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(name.encode() + b"\0")
        digest.update(np.ascontiguousarray(arrays[name], "<f4").tobytes())
    return digest.hexdigest()
