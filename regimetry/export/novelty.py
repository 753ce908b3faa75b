"""Novelty in the graph: statistics of the scaled window under a mixture of Gaussians."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from regimetry.export.tape import Tape
from regimetry.regimes.novelty import NoveltyMap
from regimetry.regimes.window_statistics import MOST_PRODUCTS, VARIANCE_FLOOR, lags


def window_novelty(tape: Tape, novelty: NoveltyMap, scaled: ir.Value, window_size: int) -> ir.Value:
    """Scaled windows (B, W, F) to their novelty (B,); equals ``NoveltyMap.transform``.

    With x the C channels of the rows, P statistics, and a mixture of Q components::

        x = scaled @ channels                                                # (B, W, C)
        mean = mean(x, axis=1, keepdims=True)                                # (B, 1, C)
        z, u = (x - mean) / rms(x - mean), x / rms(x)                        # (B, W, C)
        raw = hstack(log(rms(x - mean)), z.T @ z, u @ u.T)                   # (B, C + C C + W W)
        white = (raw - middle) @ reading @ whitening - centres               # (B, Q P)
        squares = sum(white.reshape(B, Q, P) ** 2, axis=2)                   # (B, Q)
        density = log(sum(exp(peaks - squares / 2), axis=1))                 # (B,)
        excess = maximum(max(mean @ slopes + bounds), 0)                     # (B,)
        novelty = sqrt(maximum(-2 density / unit ** 2, 0) + excess ** 2)

    where a window of many rows has ``[sum(u[l:] * u[:-l]) for l in lags]`` for ``u @ u.T``,
    ``rms(y) = sqrt(mean(y ** 2, axis=1, keepdims=True) + floor)``, and slopes and bounds hold
    the range of each channel in training, the level of its mean, and the unit.
    """
    rows = scaled
    if novelty.channels is not None:
        rows = tape.MatMul(rows, tape.constant("channels", novelty.channels))
    n_channels = len(novelty.low)
    mean = tape.reduce("ReduceMean", rows, 1)
    centred = tape.Sub(rows, mean)
    deviation = _root_mean_square(tape, centred)
    z, whole = tape.Div(centred, deviation), tape.Div(rows, _root_mean_square(tape, rows))
    raw = tape.Concat(
        tape.Reshape(tape.Log(deviation), [-1, n_channels]),
        tape.Reshape(tape.MatMul(tape.Transpose(z, perm=[0, 2, 1]), z), [-1, n_channels**2]),
        *_products_of_rows(tape, whole, window_size),
        axis=1,
    )
    density = _log_density(tape, novelty, raw)
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


def _products_of_rows(tape: Tape, whole: ir.Value, window_size: int) -> list[ir.Value]:
    """Return what :func:`raw_statistics` has of rows (B, W, C)."""
    if window_size <= MOST_PRODUCTS:
        products = tape.MatMul(whole, tape.Transpose(whole, perm=[0, 2, 1]))
        return [tape.Reshape(products, [-1, window_size**2])]
    found = []
    for lag in lags(window_size):
        later = tape.Slice(whole, [lag], [window_size], [1])
        product = tape.Mul(later, tape.Slice(whole, [0], [window_size - lag], [1]))
        by_channel = tape.reduce("ReduceSum", product, 1)
        found.append(tape.Reshape(tape.reduce("ReduceSum", by_channel, 2), [-1, 1]))
    return found


def _log_density(tape: Tape, novelty: NoveltyMap, raw: ir.Value) -> ir.Value:
    """Log density (B, 1) of raw statistics, less that of the mixture's peak."""
    n_components = len(novelty.peaks)
    # Subtract before the product: folded into a bias, the mean would cancel.
    middle = tape.Sub(raw, tape.constant("middle", novelty.middle))
    whitened = tape.Gemm(
        tape.MatMul(middle, tape.constant("reading", novelty.reading)),
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


def _root_mean_square(tape: Tape, value: ir.Value) -> ir.Value:
    """``sqrt(mean(value ** 2, axis=1, keepdims=True) + floor)``: (B, W, C) to (B, 1, C)."""
    power = tape.reduce("ReduceMean", tape.Mul(value, value), 1)
    return tape.Sqrt(tape.Add(power, VARIANCE_FLOOR))
