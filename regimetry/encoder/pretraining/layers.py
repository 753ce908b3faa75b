"""The network in Keras: the stem on whole series, and the Transformer on patches of windows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from keras import ops

from regimetry.encoder.pretraining.architecture import (
    BLOCKS,
    EPSILON,
    HEAD_SIZE,
    HEADS,
    Geometry,
    relative_index,
    taps_of,
)

_LEAST_SIZE = 1e-6  # of a response, below which it counts as none


def stem_responses(
    weights: Mapping[str, Any], rows: Any, slots: Sequence[Any], geometry: Geometry
) -> list[Any]:
    """Return the responses of each used group at the rows from ``reach`` on, of mean size 1.

    Parameters
    ----------
    weights : mapping of str to tensor
    rows : tensor, shape (G, T, F)
        Series of one batch.
    slots : sequence of tensor, shape (G, C, 4, F)
        Of every group.
    geometry : Geometry

    Returns
    -------
    list of tensor, shape (G, T - reach, C)
    """
    length = rows.shape[1]
    found = []
    for group, dilation in enumerate(geometry.dilations):
        taps = taps_of(group)
        kernel = ops.einsum("gcsf,cst->gtfc", slots[group], weights[f"stem_{group}_taps"])
        first = geometry.reach - dilation * (taps - 1)
        count = length - geometry.reach
        shifted = [
            rows[:, first + t * dilation : first + t * dilation + count] for t in range(taps)
        ]
        stacked = ops.concatenate(shifted, axis=2)
        kernel = ops.reshape(kernel, (kernel.shape[0], taps * rows.shape[2], kernel.shape[3]))
        response = ops.matmul(stacked, kernel)
        size = ops.mean(ops.abs(response), axis=1, keepdims=True)
        found.append(response / ops.maximum(size, _LEAST_SIZE))
    return found


def shares(weights: Mapping[str, Any], group: int, responses: Any) -> Any:
    """Return how far responses (..., C) exceed the thresholds of a group: (..., 64), 0 to 1."""
    gain, offset = weights[f"stem_{group}_gain"], weights[f"stem_{group}_offset"]
    excess = responses[..., None] * gain - offset
    return ops.sigmoid(ops.reshape(excess, (*excess.shape[:-2], gain.shape[0] * gain.shape[1])))


def patch_tokens(weights: Mapping[str, Any], features: Sequence[Any]) -> Any:
    """Gate the shares of patches, those of each used group (B, P, 64): tokens (B, P, D)."""
    mixed = weights["gate_bias"]
    for group, feature in enumerate(features):
        mixed = ops.matmul(feature - 0.5, weights["gate"][group]) + mixed
    return gated(mixed, weights["gate_norm"])


def gated(mixed: Any, norm: Any) -> Any:
    """Multiply the first two thirds of (B, P, 3 D) and add the last: tokens (B, P, D)."""
    first, second, third = ops.split(mixed, 3, axis=-1)
    return _normalised(first * second + third, norm)


def token_embeddings(weights: Mapping[str, Any], tokens: Any) -> Any:
    """Relate patches to each other: tokens (B, P, D) to their embeddings (B, P, 32).

    Each branch of a block is normalised before it is added to the residual stream.
    """
    for block in range(BLOCKS):
        w = {
            name.removeprefix(f"block_{block}_"): array
            for name, array in weights.items()
            if name.startswith(f"block_{block}_")
        }
        tokens = tokens + _normalised(_attended(w, tokens), w["attention_norm"])
        hidden = ops.relu(ops.matmul(tokens, w["expand"]) + w["expand_bias"])
        hidden = ops.matmul(hidden, w["contract"]) + w["contract_bias"]
        tokens = tokens + _normalised(hidden, w["norm"])
    return ops.matmul(tokens, weights["out"])


def _attended(w: Mapping[str, Any], tokens: Any) -> Any:
    count = tokens.shape[1]

    def heads(name: str) -> Any:
        projected = ops.matmul(tokens, w[name])
        if f"{name}_bias" in w:
            projected = projected + w[f"{name}_bias"]
        return ops.transpose(ops.reshape(projected, (-1, count, HEADS, HEAD_SIZE)), (0, 2, 1, 3))

    query, key, value = heads("query"), heads("key"), heads("value")
    scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2))) / math.sqrt(HEAD_SIZE)
    bias = ops.take(w["relative"], relative_index(count).ravel(), axis=1)
    scores = scores + ops.reshape(bias, (HEADS, count, count))
    mixed = ops.transpose(ops.matmul(ops.softmax(scores, axis=-1), value), (0, 2, 1, 3))
    joined = ops.reshape(mixed, (-1, count, HEADS * HEAD_SIZE))
    return ops.matmul(joined, w["output"]) + w["output_bias"]


def _normalised(values: Any, weights: Any) -> Any:
    mean = ops.mean(values, axis=-1, keepdims=True)
    centred = values - mean
    variance = ops.mean(ops.square(centred), axis=-1, keepdims=True)
    return centred * ops.rsqrt(variance + EPSILON) * weights[0] + weights[1]
