"""Which pretrained encoder a fit uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from regimetry.encoder.config import DEFAULT_ENCODER, EncoderConfig
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

    @cached_property
    def weights(self) -> PretrainedWeights:
        """The weights, read where they are first asked for.

        Raises
        ------
        ConfigError
            As for :func:`~regimetry.encoder.pretraining.weights.read_weights`.
        """
        return read_weights(self.path or BUILT_IN)


ENCODERS: Mapping[str, EncoderConfig | PretrainedEncoder] = {
    "convolutions": DEFAULT_ENCODER,
    "pretrained": PretrainedEncoder(),
}
"""What :data:`AUTO` chooses from."""
