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
_LEAST_SIZE = 1e-4  # of a response, of its kernel's weights; less may be rounding
_NONE = 1e-6  # size of the response of a kernel without weights

Array = NDArray[np.floating]


@dataclass(frozen=True)
class FoldedGroup:
    """Kernels of one dilation, each threshold a channel of its own.

    Attributes
    ----------
    dilation : int
    weights : ndarray of float32, shape (64, F, taps)
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
    groups : tuple of FoldedGroup
    weights : mapping of str to ndarray of float32
        Of gate, blocks and output. ``gate`` is (M, 3 D) of the M shares of the groups in use, and
        the value's bias is part of ``output_bias``.
    """

    geometry: Geometry
    n_features: int
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
    geometry, n_features = Geometry.of(window_size), series[0].shape[1]
    mixing = channels_read(series)
    slots = draw_slots(mixing.shape[1], np.random.default_rng(seed))
    groups = []
    for group, dilation in enumerate(geometry.dilations):
        name = f"stem_{group}"
        on_slots = np.einsum("csf,cst->cft", slots[group], weights[f"{name}_taps"])
        kernels = np.einsum("fm,cmt->cft", mixing, on_slots).astype(np.float32)
        sizes = mean_sizes(series, dilation, kernels, geometry.reach)
        gain, offset = weights[f"{name}_gain"], weights[f"{name}_offset"]
        steep = (gain / sizes[:, None]).reshape(-1).astype(np.float32)
        repeated = np.repeat(kernels, gain.shape[1], axis=0)
        groups.append(FoldedGroup(dilation, steep[:, None, None] * repeated, offset.reshape(-1)))
    return Folded(geometry, n_features, tuple(groups), _rest(weights, len(groups)))


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


def channels_read(series: Sequence[Array]) -> Array:
    """Return the channels that slots read, as columns (F, M): all, or the main 24 directions.

    Directions that hardly vary, as of columns that follow from others, are left out.
    """
    n_features = series[0].shape[1]
    if n_features <= MOST_FEATURES:
        return np.eye(n_features)
    rows = np.concatenate(series).astype(np.float64)
    variance, directions = np.linalg.eigh(np.cov(rows.T))
    variance, directions = variance[::-1][:MOST_FEATURES], directions[:, ::-1][:, :MOST_FEATURES]
    kept = variance >= _LEAST_VARIANCE * variance[0]
    return np.asarray(directions[:, kept] / np.sqrt(np.maximum(variance[kept], _NONE**2)))


def mean_sizes(
    series: Sequence[Array], dilation: int, kernels: NDArray[np.float32], reach: int
) -> Array:
    """Return the mean absolute response of kernels (C, F, taps) to training rows, (C,).

    As in the pretraining, of the rows from ``reach`` on, whatever the dilation.
    """
    none = np.zeros(0)
    group = Kernels(dilation, kernels, none.astype(np.int64), none.astype(np.float32))
    total, count = np.zeros(len(kernels)), 0
    for rows in series:
        if len(rows) > reach:
            found = group.responses(np.asarray(rows[reach - group.reach :], np.float32))
            total += np.abs(found).sum(axis=1, dtype=np.float64)
            count += found.shape[1]
    least = np.maximum(_LEAST_SIZE * np.abs(kernels).sum(axis=(1, 2)), _NONE)
    return np.maximum(total / max(count, 1), least)
