"""Which pretrained encoder a fit uses."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from regimetry.encoder.pretraining.architecture import Geometry
from regimetry.encoder.pretraining.weights import BUILT_IN, PretrainedWeights, read_weights

NAME = "pretrained"


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

    def reach(self, window_size: int) -> int:
        """Return how many rows before a window the encoder reads."""
        return Geometry.of(window_size).reach

    def read(self) -> PretrainedWeights:
        """Read the weights.

        Raises
        ------
        ConfigError
            As for :func:`~regimetry.encoder.pretraining.weights.read_weights`.
        """
        return read_weights(self.path or BUILT_IN)
