"""The folded network in plain numpy: what the graph and Keras are held against."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.convolutions import Kernels
from regimetry.encoder.pretraining.architecture import BLOCKS, EPSILON, HEAD_SIZE, HEADS
from regimetry.encoder.pretraining.folded import Folded, FoldedGroup, along, relative_bias

Array = NDArray[np.floating]

_TOGETHER = 128  # windows that are related together
_BLOCK = 1 << 12  # rows whose shares are computed together


def embed_in_numpy(folded: Folded, windows: Array) -> NDArray[np.float64]:
    """Embed windows (N, W + reach, F), slowly, by the formula in float64: (N, 64)."""
    geometry, rows = folded.geometry, along(folded.directions, np.asarray(windows, np.float64))
    features = []
    for group in folded.groups:
        positions = np.arange(rows.shape[1] - geometry.tokens * geometry.patch, rows.shape[1])
        taps = positions[:, None] - group.dilation * np.arange(group.weights.shape[2])[::-1]
        found = np.einsum("npkf,cfk->npc", rows[:, taps], group.weights.astype(np.float64))
        shares = _sigmoid(found - group.offsets)
        shape = (len(rows), geometry.tokens, geometry.patch, shares.shape[-1])
        features.append(shares.reshape(shape).mean(axis=2))
    return np.asarray(_embedded(folded, gated(folded, np.concatenate(features, axis=2))))


def embed_series(folded: Folded, rows: Array, step: int = 1) -> NDArray[np.float32]:
    """Embed every ``step``-th window of a series (T, F), with each kernel once a row.

    Parameters
    ----------
    folded : Folded
    rows : ndarray of float, shape (T, F)
        Preprocessed; at least W + reach of them.
    step : int

    Returns
    -------
    ndarray of float32, shape (N, 64)
        Row i is the window whose last row is ``W + reach - 1 + i * step``.
    """
    read = folded.geometry.reach + folded.geometry.window_size
    values = along(folded.directions, np.asarray(rows, np.float32))
    found = np.empty((len(range(0, len(values) - read + 1, step)), folded.size), np.float32)
    together = max(1, _BLOCK // step)
    for first in range(0, len(found), together):
        last = min(first + together, len(found))
        part = values[first * step : (last - 1) * step + read]
        found[first:last] = _embed_part(folded, part, step)
    return found


def _embed_part(folded: Folded, rows: NDArray[np.float32], step: int) -> NDArray[np.float32]:
    """Embed the windows of a few thousand rows, as kernels read them."""
    geometry = folded.geometry
    patch = geometry.patch
    shares = np.concatenate(
        [_shares(group, rows, geometry.reach - group.reach) for group in folded.groups], axis=1
    )
    sums = np.concatenate([np.zeros((1, shares.shape[1])), shares.cumsum(axis=0, dtype=np.float64)])
    tokens = gated(folded, ((sums[patch:] - sums[:-patch]) / patch).astype(np.float32))
    starts = np.arange(0, len(rows) - geometry.reach - geometry.window_size + 1, step)
    starts += geometry.window_size - geometry.tokens * patch
    places = starts[:, None] + patch * np.arange(geometry.tokens)
    return np.concatenate(
        [
            _embedded(folded, tokens[places[i : i + _TOGETHER]])
            for i in range(0, len(starts), _TOGETHER)
        ]
    )


def _shares(group: FoldedGroup, rows: NDArray[np.float32], first: int) -> NDArray[np.float32]:
    """Return the shares (T - reach, 64) of a group from a row on."""
    none = np.zeros(0)
    kernels = Kernels(group.dilation, group.weights, none.astype(np.int64), none.astype(np.float32))
    return np.asarray(_sigmoid(kernels.responses(rows)[:, first:].T - group.offsets))


def gated(folded: Folded, shares: Array) -> Array:
    """Return the tokens (..., D) of the shares of patches (..., S)."""
    w = {name: folded.weights[name].astype(shares.dtype) for name in ("gate", "gate_bias")}
    first, second, third = np.split(shares @ w["gate"] + w["gate_bias"], 3, axis=-1)
    return _normalised(first * second + third, folded.weights["gate_norm"])


def _embedded(folded: Folded, tokens: Array) -> Array:
    """Relate tokens (N, P, D) to each other; return the embeddings of those asked for, (N, 64)."""
    w = {name: array.astype(tokens.dtype, copy=False) for name, array in folded.weights.items()}
    asked = list(folded.geometry.asked)
    for block in range(BLOCKS):
        name = f"block_{block}"
        own = tokens if block < BLOCKS - 1 else tokens[:, asked]
        query = _heads(own @ w[f"{name}_query"] + w[f"{name}_query_bias"])
        key, value = _heads(tokens @ w[f"{name}_key"]), _heads(tokens @ w[f"{name}_value"])
        bias = relative_bias(w[f"{name}_relative"], tokens.shape[1])
        bias = bias if block < BLOCKS - 1 else bias[:, asked]
        mixed = _softmax(query @ key.transpose(0, 1, 3, 2) / math.sqrt(HEAD_SIZE) + bias) @ value
        joined = mixed.transpose(0, 2, 1, 3).reshape(*own.shape[:2], HEADS * HEAD_SIZE)
        attended = joined @ w[f"{name}_output"] + w[f"{name}_output_bias"]
        own = own + _normalised(attended, w[f"{name}_attention_norm"])
        hidden = np.maximum(own @ w[f"{name}_expand"] + w[f"{name}_expand_bias"], 0.0)
        hidden = hidden @ w[f"{name}_contract"] + w[f"{name}_contract_bias"]
        tokens = own + _normalised(hidden, w[f"{name}_norm"])
    return np.asarray((tokens @ w["out"]).reshape(len(tokens), -1))


def _heads(projected: Array) -> Array:
    n, count, _ = projected.shape
    return projected.reshape(n, count, HEADS, HEAD_SIZE).transpose(0, 2, 1, 3)


def _softmax(scores: Array) -> Array:
    found = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return np.asarray(found / found.sum(axis=-1, keepdims=True))


def _sigmoid(values: Array) -> Array:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)))


def _normalised(values: Array, weights: Array) -> Array:
    centred = values - values.mean(axis=-1, keepdims=True)
    variance = (centred**2).mean(axis=-1, keepdims=True)
    return np.asarray(centred / np.sqrt(variance + EPSILON) * weights[0] + weights[1])
