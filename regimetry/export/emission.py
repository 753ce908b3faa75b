"""Evidence of single bars in the graph: the cost of the newest bar in each regime.

Each function gives ``distance`` and ``excess``, whose smallest entry is at the same place: what
compares costs need not read the output.
"""

from __future__ import annotations

import numpy as np
import onnx_ir as ir
from scipy.linalg import block_diag

from regimetry.export.tape import Tape
from regimetry.regimes.density.moving import LEAST_SCALE, MovingEmission
from regimetry.regimes.evidence.emission import HIGHEST_COST, Emission


def emission_distance(
    tape: Tape, emission: Emission, scaled: ir.Value, window_size: int, n_features: int
) -> tuple[ir.Value, ir.Value]:
    """Scaled windows (B, W, F) to costs of their last bar (B, K); equals ``Emission.costs``.

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
    weighted = _tails(tape, tape.Mul(residual, residual), freedom, size)
    return _compared(tape, tape.Add(weighted, tape.constant("constants", emission.constants)))


def moving_distance(
    tape: Tape, emission: MovingEmission, scaled: ir.Value, window_size: int, n_features: int
) -> tuple[ir.Value, ir.Value]:
    """Scaled windows (B, W, F) to costs of their last bar (B, K), where scales move.

    Equals ``MovingEmission.costs``. With J residuals that are read, C channels, and all else of a
    regime repeated for each of its channels::

        residual = sum(scaled[:, W - J - p : W - p] @ maps[p] for p in range(P + 1)) - intercept
        earlier, newest = residual[:, :-1], residual[:, -1]                # of K C columns
        moved = earlier**2 * by_square + minimum(earlier, 0) ** 2 * by_fall
        scales = maximum(moved.sum(axis=1) + constant, least)              # (B, K C)
        u = newest / sqrt(scales) @ factors
        q = u * skew + maximum(u, 0) * (1 / skew - skew)
        cost = (nu + C) / 2 * log(1 + squares(q) / nu) + log(scales) @ halves + constants
    """
    density, rows = emission.row_density, emission.rows(window_size)
    count, size = density.n_regimes, density.n_channels
    first, residual = window_size - rows, None
    for back, matrix in enumerate(emission.residual_maps(n_features)):
        read = tape.Slice(scaled, [first - back], [window_size - back], [1])
        mapped = tape.MatMul(read, tape.constant(f"map_{back}", matrix))
        residual = mapped if residual is None else tape.Add(residual, mapped)
    intercept = density.coefficients[:, 0].reshape(-1)
    residual = tape.Sub(residual, tape.constant("intercept", intercept))
    newest = tape.Slice(residual, [rows - 1], [rows], [1])
    newest = tape.Reshape(newest, [-1, count * size])
    scales = tape.Max(_scales(tape, emission, residual, rows), LEAST_SCALE)

    unit = tape.Div(newest, tape.Sqrt(scales))
    if size > 1:
        unit = tape.MatMul(unit, tape.constant("factors", block_diag(*density.factors).T))
    skew = np.tile(density.skew, count)
    folded = tape.Add(
        tape.Mul(unit, tape.constant("skew", skew)),
        tape.Mul(tape.Relu(unit), tape.constant("straightened", 1.0 / skew - skew)),
    )
    weighted = _tails(tape, tape.Mul(folded, folded), density.freedom, size)
    halves = np.repeat(np.eye(count), size, axis=0) / 2.0
    cost = tape.Add(weighted, tape.MatMul(tape.Log(scales), halves))
    return _compared(tape, tape.Add(cost, tape.constant("constants", density.constants)))


def _scales(tape: Tape, emission: MovingEmission, residual: ir.Value, rows: int) -> ir.Value:
    """Residuals (B, J, K C) to the scales of the last one (B, K C)."""
    squares, falls, begun = emission.weights(rows - 1)
    constant = tape.constant("scales", begun.reshape(1, -1))
    if rows == 1:
        return constant
    earlier = tape.Slice(residual, [0], [rows - 1], [1])
    by_square = tape.constant("by_square", squares.reshape(rows - 1, -1))
    moved = tape.Mul(tape.Mul(earlier, earlier), by_square)
    if falls.any():
        fall = tape.Min(earlier, 0.0)
        by_fall = tape.constant("by_fall", falls.reshape(rows - 1, -1))
        moved = tape.Add(moved, tape.Mul(tape.Mul(fall, fall), by_fall))
    return tape.Add(tape.reduce("ReduceSum", moved, 1, keepdims=False), constant)


def _tails(tape: Tape, squares: ir.Value, freedom: np.ndarray, size: int) -> ir.Value:
    """Squares (B, K C) of residuals of unit scale to ``(nu + C) / 2 log(1 + sum / nu)`` (B, K)."""
    # The sums of squares as a product: OpenVINO 2026.4 goes wrong on a reduction over the last of
    # three axes that elementwise operators follow.
    above_1 = tape.Gemm(
        squares,
        tape.constant("inverse_freedom", np.repeat(np.diag(1.0 / freedom), size, axis=0)),
        np.ones(len(freedom)),
    )
    return tape.Mul(tape.Log(above_1), tape.constant("exponent", (freedom + size) / 2.0))


def _compared(tape: Tape, cost: ir.Value) -> tuple[ir.Value, ir.Value]:
    excess = tape.Sub(cost, tape.reduce("ReduceMin", cost, 1))
    return tape.Min(excess, HIGHEST_COST), excess
