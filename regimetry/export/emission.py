"""Evidence of single bars in the graph: the cost of the newest bar in each regime."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from regimetry.export.tape import Tape
from regimetry.regimes.evidence.emission import HIGHEST_COST, Emission


def emission_distance(
    tape: Tape, emission: Emission, scaled: ir.Value, window_size: int, n_features: int
) -> tuple[ir.Value, ir.Value]:
    """Scaled windows (B, W, F) to costs of their last bar (B, K); equals ``Emission.costs``.

    Returned are ``distance`` and ``excess``, whose smallest entry is at the same place: what
    compares costs need not read the output.

    With O the order of the autoregression, C channels, and nu (K,) degrees of freedom::

        residual = scaled[:, -(O + 1):].reshape(B, -1) @ matrix + offset  # (B, K C)
        squares = sum(residual.reshape(B, K, C) ** 2, axis=2)             # (B, K)
        cost = (nu + C) / 2 * log(1 + squares / nu) + constants           # (B, K)
        excess = cost - min(cost, axis=1, keepdims=True)
        distance = minimum(excess, highest)
    """
    matrix, offset = emission.window_map(n_features)
    size, freedom = len(emission.channels), emission.degrees_of_freedom
    first = window_size - emission.order - 1
    recent = tape.Slice(scaled, [first], [window_size], [1]) if first else scaled
    residual = tape.Gemm(
        tape.Reshape(recent, [-1, len(matrix)]),
        tape.constant("matrix", matrix),
        tape.constant("offset", offset),
    )
    # The sums of squares as a product: OpenVINO 2026.4 goes wrong on a reduction over the last of
    # three axes that elementwise operators follow.
    above_1 = tape.Gemm(
        tape.Mul(residual, residual),
        tape.constant("inverse_freedom", np.repeat(np.diag(1.0 / freedom), size, axis=0)),
        np.ones(len(freedom)),
    )
    weighted = tape.Mul(tape.Log(above_1), tape.constant("exponent", (freedom + size) / 2.0))
    cost = tape.Add(weighted, tape.constant("constants", emission.constants))
    excess = tape.Sub(cost, tape.reduce("ReduceMin", cost, 1))
    return tape.Min(excess, HIGHEST_COST), excess
