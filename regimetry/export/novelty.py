"""Novelty in the graph: statistics of the scaled window under a mixture of Gaussians."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from regimetry.export.tape import Tape
from regimetry.regimes.novelty import VARIANCE_FLOOR, NoveltyMap


def window_novelty(tape: Tape, novelty: NoveltyMap, scaled: ir.Value, window_size: int) -> ir.Value:
    """Scaled windows (B, W, F) to their novelty (B,); equals ``NoveltyMap.transform``.

    With x the C channels of the rows, P statistics, and a mixture of Q components::

        x = scaled @ channels                                                # (B, W, C)
        mean = mean(x, axis=1, keepdims=True)                                # (B, 1, C)
        z, u = (x - mean) / norm(x - mean), x / norm(x)                      # (B, W, C)
        raw = hstack(log(norm(x - mean)), z.T @ z, u @ u.T)                  # (B, C + C C + W W)
        white = (raw - middle) @ reading @ whitening - centres               # (B, Q P)
        squares = sum(white.reshape(B, Q, P) ** 2, axis=2)                   # (B, Q)
        density = log(sum(exp(peaks - squares / 2), axis=1))                 # (B,)
        excess = maximum(max(mean @ slopes + bounds), 0)                     # (B,)
        novelty = sqrt(maximum(-2 density / unit ** 2, 0) + excess ** 2)

    where ``norm(y) = sqrt(sum(y ** 2, axis=1, keepdims=True) + W floor)``. A root mean square is
    this over the root of W: middle and reading hold the difference, slopes and bounds the levels.
    """
    rows = scaled
    if novelty.channels is not None:
        rows = tape.MatMul(rows, tape.constant("channels", novelty.channels))
    n_channels, floor = len(novelty.low), VARIANCE_FLOOR * window_size
    mean = tape.reduce("ReduceMean", rows, 1)
    centred = tape.Sub(rows, mean)
    norm = _norm(tape, centred, floor)
    z, whole = tape.Div(centred, norm), tape.Div(rows, _norm(tape, rows, floor))
    raw = tape.Concat(
        tape.Reshape(tape.Log(norm), [-1, n_channels]),
        tape.Reshape(tape.MatMul(tape.Transpose(z, perm=[0, 2, 1]), z), [-1, n_channels**2]),
        tape.Reshape(
            tape.MatMul(whole, tape.Transpose(whole, perm=[0, 2, 1])), [-1, window_size**2]
        ),
        axis=1,
    )
    density = _log_density(tape, novelty, raw, window_size)
    surprise = tape.Mul(density, tape.constant("scale", -2.0 / novelty.unit**2))

    # Both ends of each channel in one product: (low - mean) / level and (mean - high) / level.
    level = novelty.level * novelty.unit
    steepness = np.diag(1.0 / level)
    outside = tape.Gemm(
        tape.Reshape(mean, [-1, n_channels]),
        tape.constant("slopes", np.hstack([-steepness, steepness])),
        tape.constant("bounds", np.hstack([novelty.low, -novelty.high]) / np.tile(level, 2)),
    )
    excess = tape.Relu(tape.reduce("ReduceMax", outside, 1))
    # Rounding can bring the density above its peak.
    square = tape.Add(tape.Relu(surprise), tape.Mul(excess, excess))
    return tape.Reshape(tape.Sqrt(square), [-1])


def _log_density(tape: Tape, novelty: NoveltyMap, raw: ir.Value, window_size: int) -> ir.Value:
    """Log density (B, 1) of raw statistics, less that of the mixture's peak."""
    n_components, n_channels = len(novelty.peaks), len(novelty.low)
    # What norms in place of root mean squares do to the statistics.
    shift = np.where(np.arange(len(novelty.middle)) < n_channels, np.log(window_size) / 2.0, 0.0)
    factor = np.where(np.arange(len(novelty.middle)) < n_channels, 1.0, window_size)
    # Subtract before the product: folded into a bias, the mean would cancel.
    middle = tape.Sub(raw, tape.constant("middle", novelty.middle / factor + shift))
    whitened = tape.Gemm(
        tape.MatMul(middle, tape.constant("reading", novelty.reading * factor[:, None])),
        tape.constant("whitening", novelty.whitening),
        tape.constant("centres", -novelty.centres),
    )
    exponent = tape.Gemm(
        tape.Mul(whitened, whitened),
        np.repeat(np.eye(n_components), novelty.reading.shape[1], axis=0) / -2.0,
        tape.constant("peaks", novelty.peaks),
    )
    largest = tape.reduce("ReduceMax", exponent, 1)
    total = tape.MatMul(tape.Exp(tape.Sub(exponent, largest)), np.ones((n_components, 1)))
    return tape.Add(tape.Log(total), largest)


def _norm(tape: Tape, value: ir.Value, floor: float) -> ir.Value:
    """``sqrt(sum(value ** 2, axis=1, keepdims=True) + floor)``: (B, W, C) to (B, 1, C)."""
    return tape.Sqrt(tape.Add(tape.reduce("ReduceSumSquare", value, 1), floor))
