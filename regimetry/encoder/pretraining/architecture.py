"""Shape of the pretrained network, and how windows of any size are read by it.

A window is read as the convolution bank reads it (:mod:`regimetry.encoder.convolutions`): kernels
of nine taps in several dilations, and of one tap. Their responses pass soft thresholds and are
averaged over patches of rows, which are the tokens of a small Transformer.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.convolutions import TAPS, dilations, label_offset

GROUPS = (0, 1, 2, 4, 8, 16)
"""Dilation of each group of kernels; 0 is the group of kernels of a single tap."""

KERNELS = 32
"""Kernels of a dilation, of two thresholds each."""

LEVELS = 16
"""Kernels of a single tap, of four thresholds each."""

SHARES = 64
"""Shares that a group gives: its kernels times their thresholds."""

SLOTS = 4
"""Channels that one kernel reads, at most."""

TOKEN = 64
HEADS = 4
HEAD_SIZE = 16
HIDDEN = 128
BLOCKS = 3
OUT = 32
"""Sizes of a token, of the attention, of the feed-forward part and of a token's embedding."""

EPSILON = 1e-6
"""Of the normalisations."""

TOKENS = 20
"""Patches of a window, at most."""

SMALLEST, LARGEST = 10, 160
"""Window sizes of the pretraining, in rows. Larger windows are read with wider dilations."""

MOST_FEATURES = 24
"""Channels of the widest series of the pretraining; wider tables are first reduced to as many."""


def kernels_of(group: int) -> int:
    """Return how many kernels a group has."""
    return KERNELS if GROUPS[group] else LEVELS


def taps_of(group: int) -> int:
    """Return how many taps the kernels of a group have."""
    return TAPS if GROUPS[group] else 1


def relative_index(count: int) -> NDArray[np.int64]:
    """Return where the bias of two of ``count`` patches stands, (P, P)."""
    places = np.arange(count)
    return places[None, :] - places[:, None] + TOKENS - 1


@dataclass(frozen=True)
class Geometry:
    """How windows of one size are read.

    Attributes
    ----------
    window_size : int
        W.
    patch : int
        Rows of a token, W / 20 rounded up.
    dilations : tuple of int
        Rows between two taps, of each group that is used.
    """

    window_size: int
    patch: int
    dilations: tuple[int, ...]

    @classmethod
    def of(cls, window_size: int) -> Geometry:
        """Return the geometry of windows of W rows.

        Above :data:`LARGEST` rows the dilations grow with the window, as the patches do.
        """
        scale = ceil(window_size / LARGEST)
        used = dilations(window_size // scale)
        read = tuple(d * scale for d in GROUPS if d == 0 or d in used)
        return cls(window_size, ceil(window_size / TOKENS), read)

    @property
    def tokens(self) -> int:
        """Patches of a window; rows that do not fill one are left out at the window's begin."""
        return self.window_size // self.patch

    @property
    def reach(self) -> int:
        """Rows before a window that the kernels read."""
        return (TAPS - 1) * max(self.dilations)

    @property
    def asked(self) -> tuple[int, int]:
        """The patch that a window describes best with hindsight, and the newest one."""
        before = label_offset(self.window_size, self.reach) // self.patch
        return max(0, self.tokens - 1 - before), self.tokens - 1
