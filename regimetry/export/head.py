"""The head in the graph: embeddings of windows to distances from the regimes."""

from __future__ import annotations

import numpy as np
import onnx_ir as ir

from regimetry.export.tape import Tape
from regimetry.regimes.clustering.head import Head


def head_distances(tape: Tape, head: Head, embedding: ir.Value) -> tuple[ir.Value, ir.Value | None]:
    """Embeddings (B, D) to distances (B, K), and to those of the middle; equals ``Head.outputs``.

    Both halves of an embedding are points (2 B, D / 2) of one space, and go through it together.
    """
    if not head.halves:
        return _distances(tape, head, embedding), None
    size = len(head.slow.mean)
    both = _distances(tape, head, tape.Reshape(embedding, [-1, size]))
    pairs = tape.Reshape(both, [-1, 2, len(head.centroids)])
    hindsight, newest = (tape.Squeeze(tape.Slice(pairs, [i], [i + 1], [1]), [1]) for i in (0, 1))
    return newest, hindsight


def _distances(tape: Tape, head: Head, embedding: ir.Value) -> ir.Value:
    """Embeddings (B, D) to distances (B, K).

    With P whitened directions, L slow ones, M landmarks of local scales s (M,), and r the rank of
    the neighbour whose distance is the local scale of x::

        x = (embedding - mean) @ whitening @ projection - centre      # (B, L)
        squared = sum((x[:, None] - landmarks) ** 2, axis=2)          # (B, M)
        local = sqrt(maximum(sort(squared)[:, r, None], floor ** 2))  # (B, 1)
        vector = softmax(-squared / s / local) @ loadings             # (B, K)
        unit = vector / norm(vector, axis=1, keepdims=True)
        distance = norm(unit[:, None] - centroids, axis=2)            # (B, K)
    """
    spectral = head.spectral
    # Subtract before the product: a large mean folded into the bias would cancel.
    centred = tape.Sub(embedding, tape.constant("mean", head.slow.mean))
    points = tape.Gemm(
        tape.MatMul(centred, tape.constant("whitening", head.slow.whitening)),
        tape.constant("projection", head.projection),
        tape.constant("centre", -spectral.centre),
    )
    squared = _squared_distances(tape, points, spectral.landmarks)
    nearest = tape.TopK(squared, [spectral.rank + 1], largest=0, outputs=2)
    ranked = tape.Slice(nearest, [spectral.rank], [spectral.rank + 1], [1])
    local = tape.Sqrt(tape.Max(ranked, spectral.least_bandwidth**2))
    weighted = tape.Mul(squared, tape.constant("minus_scales", -1.0 / spectral.bandwidths))
    affinity = tape.Softmax(tape.Div(weighted, local), axis=-1)
    vector = tape.MatMul(affinity, tape.constant("loadings", spectral.loadings))
    unit = tape.Div(vector, tape.Max(tape.reduce("ReduceL2", vector, 1), 1e-30))
    centroids = tape.constant("centroids", head.centroids[None])
    offset = tape.Sub(tape.Unsqueeze(unit, [1]), centroids)
    return tape.reduce("ReduceL2", offset, 2, keepdims=False)


def _squared_distances(tape: Tape, points: ir.Value, landmarks: np.ndarray) -> ir.Value:
    """``-2 x y^T + |y|^2 + |x|^2`` of centred x (B, L) and landmarks y (M, L), up to rounding."""
    product = tape.Gemm(
        points,
        tape.constant("landmarks", -2.0 * landmarks),
        tape.constant("squares", np.sum(landmarks**2, axis=1)),
        transB=1,
    )
    return tape.Add(product, tape.reduce("ReduceSumSquare", points, 1))
