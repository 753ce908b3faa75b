"""The first block's attention, through the projection that makes its tokens.

The first tokens are x = u P + E: few features u (W, F), a projection P (F, D), and positions and
bias E (W, D). Folded attention then works on F + W numbers per token instead of D, and everything
that meets E alone is a constant:

    x_i M x_j^T + c x_j^T = u_i (P M P^T) u_j^T + g_i P^T u_j^T + u_i (P M E^T)_j + (g E^T)_ij
        g = E M + c  (W, D)
    (A x) V + co          = (A u) (P V) + A (E V) + co

for every head; products in float64, stored as float32. What is linear in u is one product.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir

from regimetry.export.attention import (
    Array,
    Attention,
    joined_heads,
    masked_softmax,
    self_attention,
)
from regimetry.export.shapes import Batch
from regimetry.export.tape import Tape


@dataclass(frozen=True, kw_only=True)
class FirstTokens:
    """x = features @ projection + offset: (batch, W, F), (F, D), (W, D)."""

    features: ir.Value
    projection: Array
    offset: Array

    @property
    def sizes(self) -> tuple[int, int, int]:
        """W, F and D."""
        return len(self.offset), *self.projection.shape

    def rows(self, tape: Tape) -> ir.Value:
        """Return the tokens as rows (batch * W, D)."""
        (windows,) = _affine(tape, self, (self.projection, self.offset))
        return tape.reshape(windows, (Batch(len(self.offset)), self.projection.shape[1]))


def first_block_attention(
    tape: Tape, attention: Attention, tokens: FirstTokens
) -> tuple[ir.Value, ir.Value]:
    """Return the tokens and their attention's output, both as rows (batch * W, D)."""
    window_size, n_features, size = tokens.sizes
    heads = attention.query.shape[1]
    fewer = n_features * (n_features + 2 * window_size) < size * (size + window_size)
    if not attention.folds(window_size) or not fewer:
        rows = tokens.rows(tape)
        return rows, self_attention(tape, attention, rows, window_size)
    matrix, shift = attention.matrices
    fixed = np.einsum("wi,ihj->whj", tokens.offset, matrix) + shift
    moving = np.einsum("fi,ihj->fhj", tokens.projection, matrix)
    windows, left, rest = _affine(
        tape,
        tokens,
        (tokens.projection, tokens.offset),
        (moving @ tokens.projection.T, fixed @ tokens.projection.T),
        (moving @ tokens.offset.T, fixed @ tokens.offset.T),
    )
    scores = tape.MatMul(
        tape.reshape(left, (Batch(1), window_size * heads, n_features)),
        tape.Transpose(tokens.features, perm=[0, 2, 1]),
    )
    rest = tape.reshape(rest, (Batch(1), window_size * heads, window_size))
    weights = masked_softmax(tape, attention, tape.Add(scores, rest), window_size)
    rows = tape.reshape(windows, (Batch(window_size), size))
    return rows, _averages(tape, attention, tokens, weights, windows)


def _averages(
    tape: Tape, attention: Attention, tokens: FirstTokens, weights: ir.Value, windows: ir.Value
) -> ir.Value:
    """Return ``(A x) V + co`` as rows (batch * W, D), in the way that takes fewer operations."""
    window_size, n_features, size = tokens.sizes
    matrices = attention.outputs
    heads = len(matrices)
    if n_features * (window_size + size) + window_size * size < size * (window_size + size):
        # Averages of features, and of positions, which are the weights themselves.
        both = tape.Concat(tape.MatMul(weights, tokens.features), weights, axis=2)
        sources = np.vstack([tokens.projection, tokens.offset])
        flat = tape.reshape(both, (Batch(window_size), heads * len(sources)))
        matrix = np.einsum("si,hij->hsj", sources, matrices).reshape(-1, size)
    else:
        averages = tape.MatMul(weights, windows)
        flat = tape.reshape(averages, (Batch(window_size), heads * size))
        matrix = matrices.reshape(heads * size, size)
    return joined_heads(tape, attention, flat, matrix, window_size)


def _affine(tape: Tape, tokens: FirstTokens, *maps: tuple[Array, Array]) -> tuple[ir.Value, ...]:
    """``features @ matrix + offset`` for each (F, ..., n) and (W, ..., n), (batch, W, n).

    One product for all.
    """
    window_size, n_features, _ = tokens.sizes
    matrices = [matrix.reshape(n_features, -1) for matrix, _ in maps]
    offsets = np.hstack([offset.reshape(window_size, -1) for _, offset in maps])
    moved = tape.Add(tape.MatMul(tokens.features, np.hstack(matrices)), offsets)
    sizes = [matrix.shape[1] for matrix in matrices]
    return (moved,) if len(maps) == 1 else tape.split(moved, sizes)
