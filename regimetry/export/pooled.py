"""Pooling over time in the graph: tokens of a window to its embedding."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from regimetry.export.attention import low_where_unseen
from regimetry.export.shapes import dims, entries
from regimetry.export.tape import Tape


def pooled(
    tape: Tape, name: str, tokens: ir.Value, seen: ir.Value | None, *weights: NDArray[np.float32]
) -> ir.Value:
    """Pool tokens (B, W, D) by one of regimetry's own poolings to (B, D) or (B, 3 D).

    Parameters
    ----------
    tape : Tape
    name : {"mean", "moments", "max", "last", "attention"}
    tokens : Value, shape (B, W, D)
    seen : Value, shape (B, W, 1), or None
        1 for rows that take part, 0 for the others; ``None`` if all do. A window without any gives
        zeros.
    *weights : ndarray
        Of the pooling "attention".
    """
    found = _POOLINGS[name](tape, tokens, seen, *weights)
    return (
        found
        if seen is None
        else tape.Mul(found, tape.reduce("ReduceMax", seen, 1, keepdims=False))
    )


def _mean(tape: Tape, tokens: ir.Value, seen: ir.Value | None) -> ir.Value:
    if seen is None:
        return tape.reduce("ReduceMean", tokens, 1, keepdims=False)
    shares = tape.Div(seen, _count(tape, seen))
    return tape.reduce("ReduceSum", tape.Mul(tokens, shares), 1, keepdims=False)


def _moments(tape: Tape, tokens: ir.Value, seen: ir.Value | None) -> ir.Value:
    """Mean, deviation and lag-1 autocorrelation, centred in two passes.

    With sums over time::

        c = tokens - mean                                          # 0 where not seen
        deviation = sqrt(maximum(sum(c ** 2) / count, 1e-12))
        autocorrelation = sum(c[1:] * c[:-1]) / (sum(c ** 2) + 1e-8)
    """
    window_size, size = _sizes(tokens)
    if seen is None:
        mean = tape.reduce("ReduceMean", tokens, 1)
        centred = tape.Sub(tokens, mean)
    else:
        count = _count(tape, seen)
        mean = tape.reduce("ReduceSum", tape.Mul(tokens, tape.Div(seen, count)), 1)
        centred = tape.Mul(tape.Sub(tokens, mean), seen)
    power = tape.reduce("ReduceSum", tape.Mul(centred, centred), 1)
    variance = tape.Mul(power, 1.0 / window_size) if seen is None else tape.Div(power, count)
    deviation = tape.Sqrt(tape.Max(variance, 1e-12))
    later = tape.Slice(centred, [1], [window_size], [1])
    earlier = tape.Slice(centred, [0], [window_size - 1], [1])
    lagged = tape.reduce("ReduceSum", tape.Mul(later, earlier), 1)
    autocorrelation = tape.Div(lagged, tape.Add(power, 1e-8))
    return tape.Reshape(tape.Concat(mean, deviation, autocorrelation, axis=2), [-1, 3 * size])


def _max(tape: Tape, tokens: ir.Value, seen: ir.Value | None) -> ir.Value:
    if seen is not None:
        tokens = tape.Add(tape.Mul(tokens, seen), low_where_unseen(tape, seen))
    return tape.reduce("ReduceMax", tokens, 1, keepdims=False)


def _last(tape: Tape, tokens: ir.Value, seen: ir.Value | None) -> ir.Value:
    window_size, size = _sizes(tokens)
    if seen is None:
        return tape.Reshape(tape.Slice(tokens, [window_size - 1], [window_size], [1]), [-1, size])
    numbered = tape.Mul(seen, np.arange(1.0, window_size + 1)[:, None])
    before = tape.Sub(tape.reduce("ReduceMax", numbered, 1), 1.0)
    is_last = tape.Relu(tape.Sub(numbered, before))  # 1 there; where none is seen, times 0 later
    return tape.reduce("ReduceSum", tape.Mul(tokens, is_last), 1, keepdims=False)


def _attention(
    tape: Tape, tokens: ir.Value, seen: ir.Value | None, score: NDArray[np.float32]
) -> ir.Value:
    scores = tape.MatMul(tokens, score)
    if seen is not None:
        scores = tape.Add(scores, low_where_unseen(tape, seen))
    weights = tape.Softmax(scores, axis=1)
    return tape.reduce("ReduceSum", tape.Mul(tokens, weights), 1, keepdims=False)


_POOLINGS: dict[str, Callable[..., ir.Value]] = {
    "mean": _mean,
    "moments": _moments,
    "max": _max,
    "last": _last,
    "attention": _attention,
}


def _sizes(tokens: ir.Value) -> tuple[int, int]:
    """Return W and D."""
    shape = dims(tokens)
    assert shape is not None
    _, window_size, size = shape
    return entries(window_size), entries(size)


def _count(tape: Tape, seen: ir.Value) -> ir.Value:
    """Rows that take part, at least 1: (B, 1, 1)."""
    return tape.Max(tape.reduce("ReduceSum", seen, 1), 1.0)
