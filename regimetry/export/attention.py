"""Self-attention in the graph, its projections multiplied out where that saves operations.

Per head h, with s = 1/sqrt(d) and tokens x (W, D):

    scores_ij = s (x_i Wq + bq) (x_j Wk + bk)^T = x_i M_h x_j^T + c_h x_j^T + (the same for all j)
        M_h = s Wq_h Wk_h^T  (D, D)      c_h = s bq_h Wk_h^T  (D,)
    output    = sum_h A_h (x Wv_h + bv_h) Wo_h + bo = sum_h (A_h x) (Wv_h Wo_h) + co
        co  = bo + sum_h bv_h Wo_h

The softmax over j ignores what is the same for all j, and the rows of A_h sum to 1. A row that
sees no key has weights of 0 instead: there the bias of the values does not reach the output.

Rows are ordered (position, head), so that no transpose of heads is needed. Products are taken in
float64 and stored as float32.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

from regimetry.export.shapes import Batch
from regimetry.export.tape import Tape

LOW = -1e9
"""What is added to an unseen key's score; the softmax of anything below some -100 is exactly 0."""

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Mask:
    """Which keys may be seen.

    Attributes
    ----------
    seen : ndarray or Value, shape (batch or 1, W or 1, 1, W)
        1 where the query of an axis before sees the key of the last axis, else 0: constant, or a
        value of the graph.
    """

    seen: NDArray[np.float32] | ir.Value

    @property
    def leaves_a_key(self) -> bool:
        """Whether it is known that every row sees some key, whatever the window."""
        return isinstance(self.seen, np.ndarray) and bool(self.seen.any(axis=-1).all())


@dataclass(frozen=True, kw_only=True)
class Attention:
    """Weights of one layer of H heads of size d, the queries' scale among them.

    Attributes
    ----------
    query, key, value : ndarray, shape (D, H, d)
    query_bias, value_bias : ndarray, shape (H, d)
        The softmax ignores the bias of the keys.
    output : ndarray, shape (H, d, D)
    bias : ndarray, shape (D,)
    mask : Mask or None
    """

    query: Array
    query_bias: Array
    key: Array
    value: Array
    value_bias: Array
    output: Array
    bias: Array
    mask: Mask | None = None

    @property
    def matrices(self) -> tuple[Array, Array]:
        """M (D, H, D) and c (H, D) of the scores."""
        return (
            np.einsum("ihd,jhd->ihj", self.query, self.key),
            np.einsum("hd,jhd->hj", self.query_bias, self.key),
        )

    @property
    def outputs(self) -> Array:
        """Matrices (H, D, D) from averaged tokens to the output."""
        return np.einsum("ihd,hdo->hio", self.value, self.output)

    @property
    def value_bias_in_output(self) -> Array:
        """The values' bias as it reaches the output of a position that sees a key: (D,)."""
        return np.einsum("hd,hdo->o", self.value_bias, self.output)

    @property
    def bias_everywhere(self) -> Array:
        """The bias of every position's output: (D,)."""
        if self.mask is None or self.mask.leaves_a_key:
            return self.bias + self.value_bias_in_output
        return self.bias

    def operations(self, window_size: int) -> tuple[int, int]:
        """Multiply-accumulates on one window, with projections and folded.

        With projections: four products of W tokens of D with H d columns, scores and averages over
        d. Folded: two products with H D columns, scores and averages over D.
        """
        size, heads, head_size = self.query.shape
        pairs = 2 * window_size**2 * heads
        plain = 4 * window_size * size * heads * head_size + pairs * head_size
        return plain, 2 * window_size * size * heads * size + pairs * size

    def folds(self, window_size: int) -> bool:
        """Whether folding saves operations."""
        plain, folded = self.operations(window_size)
        return folded < plain


def self_attention(tape: Tape, attention: Attention, rows: ir.Value, window_size: int) -> ir.Value:
    """Tokens as rows (batch * W, D) to outputs as rows, folded if that saves operations."""
    if not attention.folds(window_size):
        return _plain_attention(tape, attention, rows, window_size)
    return folded_attention(tape, attention, rows, window_size)


def folded_attention(
    tape: Tape, attention: Attention, rows: ir.Value, window_size: int
) -> ir.Value:
    """Tokens as rows (batch * W, D) to outputs as rows, folded."""
    matrix, shift = attention.matrices
    size, heads, _ = matrix.shape
    tokens = tape.reshape(rows, (Batch(1), window_size, size))
    queries = tape.Gemm(rows, matrix.reshape(size, -1), shift.reshape(-1))
    left = tape.reshape(queries, (Batch(1), window_size * heads, size))
    scores = tape.MatMul(left, tape.Transpose(tokens, perm=[0, 2, 1]))
    weights = masked_softmax(tape, attention, scores, window_size)
    averages = tape.reshape(tape.MatMul(weights, tokens), (Batch(window_size), heads * size))
    return joined_heads(
        tape, attention, averages, attention.outputs.reshape(heads * size, -1), window_size
    )


def _plain_attention(
    tape: Tape, attention: Attention, rows: ir.Value, window_size: int
) -> ir.Value:
    """Rows of tokens (batch * W, D) to outputs as rows, with projections."""
    size, heads, head_size = attention.query.shape

    def projected(weight: Array, shift: Array, perm: list[int]) -> ir.Value:
        product = tape.Gemm(rows, weight.reshape(size, -1), shift.reshape(-1))
        apart = tape.reshape(product, (Batch(1), window_size, heads, head_size))
        return tape.Transpose(apart, perm=perm)

    none = np.zeros((heads, head_size))
    queries = projected(attention.query, attention.query_bias, [0, 2, 1, 3])
    scores = tape.MatMul(queries, projected(attention.key, none, [0, 2, 3, 1]))
    in_order = tape.Transpose(scores, perm=[0, 2, 1, 3])
    weights = masked_softmax(tape, attention, in_order, window_size)
    by_head = tape.Transpose(
        tape.reshape(weights, (Batch(1), window_size, heads, window_size)), perm=[0, 2, 1, 3]
    )
    averages = tape.MatMul(by_head, projected(attention.value, none, [0, 2, 1, 3]))
    flat = tape.reshape(
        tape.Transpose(averages, perm=[0, 2, 1, 3]), (Batch(window_size), heads * head_size)
    )
    return joined_heads(
        tape, attention, flat, attention.output.reshape(heads * head_size, -1), window_size
    )


def masked_softmax(
    tape: Tape, attention: Attention, scores: ir.Value, window_size: int
) -> ir.Value:
    """Scores of every position and head to weights (batch, W * H, W); 0 if no key is seen."""
    mask, heads = attention.mask, len(attention.query_bias)
    flat = (Batch(1), window_size * heads, window_size)
    if mask is None:
        return tape.Softmax(tape.reshape(scores, flat), axis=-1)
    if isinstance(mask.seen, np.ndarray):
        shift: ir.Value | NDArray[np.float32] = LOW * (1.0 - mask.seen)
    else:
        shift = low_where_unseen(tape, mask.seen)
    apart = tape.reshape(scores, (Batch(1), window_size, heads, window_size))
    weights = tape.Softmax(tape.Add(apart, shift), axis=-1)
    if not mask.leaves_a_key:
        weights = tape.Mul(weights, mask.seen)
    return tape.reshape(weights, flat)


def low_where_unseen(tape: Tape, seen: ir.Value) -> ir.Value:
    """Return 0 where ``seen`` is 1, and :data:`LOW` where it is 0."""
    return tape.Mul(tape.Sub(seen, 1.0), -LOW)


def joined_heads(
    tape: Tape, attention: Attention, averages: ir.Value, matrix: Array, window_size: int
) -> ir.Value:
    """Averages of all heads (batch * W, n) by a matrix (n, D) to outputs (batch * W, D).

    With the biases; that of the values where a position sees a key.
    """
    mask, (*_, size) = attention.mask, attention.output.shape
    rows = tape.Gemm(averages, matrix, attention.bias_everywhere)
    if mask is None or mask.leaves_a_key:
        return rows
    # (batch or 1, W or 1, 1, W) to (batch or 1, W or 1, 1)
    if isinstance(mask.seen, np.ndarray):
        sees: ir.Value | NDArray[np.float32] = mask.seen.max(axis=-1)
    else:
        sees = tape.reduce("ReduceMax", mask.seen, 3, keepdims=False)
    windows = tape.reshape(rows, (Batch(1), window_size, size))
    added = tape.Add(windows, tape.Mul(sees, attention.value_bias_in_output))
    return tape.reshape(added, (Batch(window_size), size))
