"""Weights of the network before it is trained: the kernels of the bank, and dense layers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from regimetry.encoder.convolutions import SHAPES
from regimetry.encoder.pretraining.architecture import (
    BLOCKS,
    GROUPS,
    HEAD_SIZE,
    HEADS,
    HIDDEN,
    OUT,
    SHARES,
    SLOTS,
    TOKEN,
    TOKENS,
    kernels_of,
    taps_of,
)

Weights = dict[str, NDArray[np.float32]]
"""The arrays of the network by name."""

_STEEPNESS = 3.0  # of a threshold, for a response of mean size 1
_NEAREST = (0.0, 0.03, 0.1, 0.3)  # how fast each head's attention falls with the distance


def initial_weights(seed: int) -> Weights:
    """Draw the weights with which a pretraining begins.

    Kernels have the shapes of the bank, thresholds are normal quantiles, and dense layers are
    uniform as Glorot, Bengio 2010 have them. Heads begin with a bias against distant patches.

    Parameters
    ----------
    seed : int

    Returns
    -------
    mapping of str to ndarray of float32
        ``stem_G_taps`` (C, 4, taps), ``stem_G_gain`` and ``stem_G_offset`` (C, Q) for each group
        G; ``gate`` (groups, 64, 3 D), ``gate_bias`` (3 D,); ``gate_norm`` (2, D); for each block B
        ``block_B_query``, ``_key``, ``_value``, ``_output`` (D, D) with ``_bias`` of query, value
        and output, ``_relative`` (H, 2 * 20 - 1), ``_attention_norm``, ``_norm`` (2, D),
        ``_expand`` (D, hidden), ``_contract`` (hidden, D) with biases; ``out`` (D, 32).
    """
    generator = np.random.default_rng(seed)

    def dense(inputs: int, outputs: int) -> NDArray[np.float32]:
        limit = math.sqrt(6.0 / (inputs + outputs))
        return generator.uniform(-limit, limit, (inputs, outputs)).astype(np.float32)

    def zeros(*shape: int) -> NDArray[np.float32]:
        return np.zeros(shape, np.float32)

    def unit() -> NDArray[np.float32]:
        return np.stack([np.ones(TOKEN, np.float32), zeros(TOKEN)])

    weights: Weights = {}
    for group in range(len(GROUPS)):
        count, name = kernels_of(group), f"stem_{group}"
        shapes = np.ones((count, 1)) if taps_of(group) == 1 else _shapes(count, generator)
        weights[f"{name}_taps"] = np.repeat(shapes[:, None], SLOTS, axis=1).astype(np.float32)
        thresholds = 1.6 * generator.standard_normal((count, SHARES // count))
        weights[f"{name}_gain"] = np.full(thresholds.shape, _STEEPNESS, np.float32)
        weights[f"{name}_offset"] = (_STEEPNESS * thresholds).astype(np.float32)
    gate = dense(SHARES * len(GROUPS), 3 * TOKEN)
    weights["gate"] = 4.0 * gate.reshape(len(GROUPS), SHARES, 3 * TOKEN)
    weights["gate_bias"] = zeros(3 * TOKEN)
    weights["gate_norm"] = unit()
    distance = np.abs(np.arange(2 * TOKENS - 1) - (TOKENS - 1))
    size = HEADS * HEAD_SIZE
    for block in range(BLOCKS):
        name = f"block_{block}"
        for part in ("query", "key", "value"):
            weights[f"{name}_{part}"] = dense(TOKEN, size)
        weights[f"{name}_query_bias"], weights[f"{name}_value_bias"] = zeros(size), zeros(size)
        weights[f"{name}_output"], weights[f"{name}_output_bias"] = dense(size, TOKEN), zeros(TOKEN)
        weights[f"{name}_relative"] = -np.outer(_NEAREST, distance).astype(np.float32)
        weights[f"{name}_attention_norm"], weights[f"{name}_norm"] = unit(), unit()
        weights[f"{name}_expand"], weights[f"{name}_expand_bias"] = (
            dense(TOKEN, HIDDEN),
            zeros(HIDDEN),
        )
        weights[f"{name}_contract"], weights[f"{name}_contract_bias"] = (
            dense(HIDDEN, TOKEN),
            zeros(TOKEN),
        )
    weights["out"] = dense(TOKEN, OUT)
    return weights


def _shapes(count: int, generator: np.random.Generator) -> NDArray[np.float64]:
    return SHAPES[generator.permutation(len(SHAPES))[:count]]
