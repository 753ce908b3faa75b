"""The network as one series is read by it: its kernels on the channels, its thresholds in units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.convolutions import Kernels
from regimetry.encoder.pretraining.architecture import (
    BLOCKS,
    MOST_FEATURES,
    OUT,
    Geometry,
    relative_index,
)
from regimetry.encoder.pretraining.slots import draw_slots

_LEAST_VARIANCE = 1e-4  # of a direction that is read, of that of the first one
_LEAST_SIZE = 1e-2  # of a response, of its kernel's weights: less would show rounding
_NONE = 1e-6  # size of the response of a kernel without weights

Array = NDArray[np.floating]


@dataclass(frozen=True)
class FoldedGroup:
    """Kernels of one dilation, each threshold a channel of its own.

    Attributes
    ----------
    dilation : int
    weights : ndarray of float32, shape (64, M, taps)
        Times the steepness of the threshold, and over the mean size of the response.
    offsets : ndarray of float32, shape (64,)
    """

    dilation: int
    weights: NDArray[np.float32]
    offsets: NDArray[np.float32]

    @property
    def reach(self) -> int:
        """Rows before a position that it reads."""
        return self.dilation * (self.weights.shape[2] - 1)


@dataclass(frozen=True)
class Folded:
    """A network for windows of one size and number of channels.

    Attributes
    ----------
    geometry : Geometry
    n_features : int
        F.
    directions : ndarray of float32, shape (F, M), or None
        Columns that kernels read in place of the channels; ``None``: the channels, M = F.
    groups : tuple of FoldedGroup
    weights : mapping of str to ndarray of float32
        Of gate, blocks and output. ``gate`` is (S, 3 D) of the S shares of the groups in use, and
        the value's bias is part of ``output_bias``.
    """

    geometry: Geometry
    n_features: int
    directions: NDArray[np.float32] | None
    groups: tuple[FoldedGroup, ...]
    weights: Mapping[str, NDArray[np.float32]]

    @property
    def size(self) -> int:
        """D: of a token in the middle of the window, then of the last one."""
        return len(self.geometry.asked) * OUT


def fold(
    weights: Mapping[str, NDArray[np.float32]],
    series: Sequence[Array],
    window_size: int,
    seed: int,
) -> Folded:
    """Assign the slots of the kernels to channels, and measure the responses to training rows.

    Parameters
    ----------
    weights : mapping of str to ndarray
        Of the network.
    series : sequence of ndarray, shape (T_i, F)
        Preprocessed training rows.
    window_size : int
        W.
    seed : int
        Of the slots.

    Returns
    -------
    Folded
    """
    geometry, directions = Geometry.of(window_size), main_directions(series)
    read = [along(directions, np.asarray(rows, np.float32)) for rows in series]
    slots = draw_slots(read[0].shape[1], np.random.default_rng(seed))
    groups = []
    for group, dilation in enumerate(geometry.dilations):
        name = f"stem_{group}"
        kernels = np.einsum("csf,cst->cft", slots[group], weights[f"{name}_taps"])
        sizes = mean_sizes(read, dilation, kernels, geometry.reach)
        gain, offset = weights[f"{name}_gain"], weights[f"{name}_offset"]
        steep = (gain / sizes[:, None]).reshape(-1).astype(np.float32)
        repeated = np.repeat(kernels, gain.shape[1], axis=0)
        groups.append(FoldedGroup(dilation, steep[:, None, None] * repeated, offset.reshape(-1)))
    rest = _rest(weights, len(groups))
    return Folded(geometry, series[0].shape[1], directions, tuple(groups), rest)


def _rest(
    weights: Mapping[str, NDArray[np.float32]], n_groups: int
) -> dict[str, NDArray[np.float32]]:
    """Return the weights behind the stem, with constants multiplied out in float64."""
    rest = {name: array for name, array in weights.items() if not name.startswith("stem")}
    gate = rest["gate"][:n_groups].reshape(-1, rest["gate"].shape[2]).astype(np.float64)
    rest["gate"] = gate.astype(np.float32)
    rest["gate_bias"] = (rest["gate_bias"] - 0.5 * gate.sum(axis=0)).astype(np.float32)
    for block in range(BLOCKS):
        # The weights of attention sum to 1, so the value's bias reaches every output alike.
        shift = rest.pop(f"block_{block}_value_bias").astype(np.float64)
        bias = rest[f"block_{block}_output_bias"] + shift @ rest[f"block_{block}_output"]
        rest[f"block_{block}_output_bias"] = bias.astype(np.float32)
    return rest


def relative_bias(table: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Return what heads add to the scores of ``count`` patches, (H, P, P)."""
    return table[:, relative_index(count)]


def main_directions(series: Sequence[Array]) -> NDArray[np.float32] | None:
    """Return the main 24 directions of rows (T_i, F), (F, M), of deviation 1 each.

    Those that hardly vary, as of columns that follow from others, are left out. ``None`` where
    there are no more channels than that.
    """
    n_features = series[0].shape[1]
    if n_features <= MOST_FEATURES:
        return None
    rows = np.concatenate(series).astype(np.float64)
    variance, directions = np.linalg.eigh(np.cov(rows.T))
    variance, directions = variance[::-1][:MOST_FEATURES], directions[:, ::-1][:, :MOST_FEATURES]
    kept = variance >= _LEAST_VARIANCE * variance[0]
    deviations = np.sqrt(np.maximum(variance[kept], _NONE**2))
    return np.asarray(directions[:, kept] / deviations, np.float32)


def along(directions: NDArray[np.float32] | None, rows: Array) -> Array:
    """Return rows (..., F) along directions, (..., M), in their own precision."""
    return rows if directions is None else rows @ directions.astype(rows.dtype)


def mean_sizes(
    series: Sequence[Array], dilation: int, kernels: NDArray[np.float32], reach: int
) -> Array:
    """Return the mean absolute response of kernels (C, M, taps) to training rows (T_i, M), (C,).

    As in the pretraining, of the rows from ``reach`` on, whatever the dilation. A kernel's weights
    nearly cancel each other out where channels are mostly at rest; what is left is at least 1 % of
    their sum, without signs, or rounding in float32 would be taken for a response.
    """
    none = np.zeros(0)
    group = Kernels(dilation, kernels, none.astype(np.int64), none.astype(np.float32))
    total, count = np.zeros(len(kernels)), 0
    for rows in series:
        if len(rows) > reach:
            found = group.responses(rows[reach - group.reach :])
            total += np.abs(found).sum(axis=1, dtype=np.float64)
            count += found.shape[1]
    least = np.maximum(_LEAST_SIZE * np.abs(kernels).sum(axis=(1, 2)), _NONE)
    return np.maximum(total / max(count, 1), least)
