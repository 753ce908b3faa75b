"""Which pretrained encoder a fit uses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from regimetry.encoder.pretraining.architecture import Geometry
from regimetry.encoder.pretraining.weights import BUILT_IN, PretrainedWeights, read_weights

NAME = "pretrained"

AUTO = "auto"
"""Convolutions or the pretrained encoder, by the rule that chooses windows and numbers."""


def pretrained_of(name: str) -> PretrainedEncoder | None:
    """Return the encoder of a name: "pretrained", or the path of weights (.npz); else ``None``."""
    if name == NAME:
        return PretrainedEncoder()
    return PretrainedEncoder(Path(name)) if name.endswith(".npz") else None


@dataclass(frozen=True)
class PretrainedEncoder:
    """A pretrained encoder.

    Attributes
    ----------
    path : Path or None
        Of the weights; ``None``: those that come with regimetry.
    """

    path: Path | None = None

    def __str__(self) -> str:
        return NAME if self.path is None else str(self.path)

    def reach_of(self, window_size: int, *, trained: bool = False) -> int:
        """Return how many rows before a window of a size the encoder reads, trained or not."""
        return Geometry.of(window_size).reach

    def read(self) -> PretrainedWeights:
        """Read the weights.

        Raises
        ------
        ConfigError
            As for :func:`~regimetry.encoder.pretraining.weights.read_weights`.
        """
        return _built_in() if self.path is None else read_weights(self.path)


@cache
def _built_in() -> PretrainedWeights:
    return read_weights(BUILT_IN)
