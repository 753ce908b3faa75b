"""Evidence of single bars in the graph: what each regime makes of the newest bar."""

from __future__ import annotations

import numpy as np

from regimetry.export.graph import GraphBuilder
from regimetry.regimes.evidence.emission import HIGHEST_COST, Emission


def add_emission(
    builder: GraphBuilder, emission: Emission, scaled: str, window_size: int, n_features: int
) -> None:
    """Add the output ``distance`` of single bars; equals ``Emission.costs``.

    residual = last O + 1 bars @ matrix + offset, of unit scale in each regime; squares_k = |its
    k-th part|^2; cost_k = (nu_k + C) / 2 log(1 + squares_k / nu_k) + constant_k; distance =
    min(cost - least cost, highest).
    """
    matrix, offset = emission.window_map(n_features)
    size, n_regimes = len(emission.channels), emission.n_regimes
    recent = scaled
    if emission.order + 1 < window_size:
        first = builder.constant("emission/first", np.array([window_size - emission.order - 1]))
        end = builder.constant("emission/end", np.array([window_size]))
        axis = builder.constant("emission/axis", np.array([1]))
        recent = builder.node("Slice", [scaled, first, end, axis], "emission/recent")
    flat = builder.constant("emission/flat", np.array([-1, len(matrix)]))
    residual = builder.node(
        "Gemm",
        [
            builder.node("Reshape", [recent, flat], "emission/bars"),
            builder.constant("emission/matrix", matrix),
            builder.constant("emission/offset", offset),
        ],
        "emission/residual",
    )
    # The sums of squares as a product: OpenVINO 2026.4 goes wrong on a reduction over the last of
    # three axes that elementwise operators follow.
    own = np.repeat(np.diag(1.0 / emission.freedom), size, axis=0)
    above_1 = builder.node(
        "Gemm",
        [
            builder.node("Mul", [residual, residual], "emission/squares"),
            builder.constant("emission/inverse_freedom", own),
            builder.constant("emission/one", np.ones(n_regimes)),
        ],
        "emission/above_1",
    )
    logarithm = builder.node("Log", [above_1], "emission/logarithm")
    weighted = builder.node(
        "Mul",
        [logarithm, builder.constant("emission/exponent", (emission.freedom + size) / 2.0)],
        "emission/weighted",
    )
    cost = builder.node(
        "Add",
        [weighted, builder.constant("emission/constants", emission.constants)],
        "emission/cost",
    )
    least = builder.reduce("ReduceMin", cost, "emission/least", 1, keepdims=True)
    excess = builder.node("Sub", [cost, least], "emission/excess")
    highest = builder.constant("emission/highest", np.array(HIGHEST_COST))
    builder.node("Min", [excess, highest], "distance")
