"""Evidence of single bars in the graph: what each regime makes of the newest bar."""

from __future__ import annotations

import numpy as np

from regimetry.export.graph import GraphBuilder
from regimetry.regimes.emission import HIGHEST_COST, Emission


def add_emission(
    builder: GraphBuilder, emission: Emission, scaled: str, window_size: int, n_features: int
) -> None:
    """Add the output ``distance`` of single bars; equals ``Emission.costs``.

    residual = last O + 1 bars @ matrix + offset, of unit scale in each regime; squares_k = |its
    K-th part|^2; cost_k = (nu_k + C) / 2 log(1 + squares_k / nu_k) + constant_k; distance =
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
    parts = builder.constant("emission/parts", np.array([-1, n_regimes, size]))
    residual = builder.node(
        "Gemm",
        [
            builder.node("Reshape", [recent, flat], "emission/bars"),
            builder.constant("emission/matrix", matrix),
            builder.constant("emission/offset", offset),
        ],
        "emission/residual",
    )
    grouped = builder.node("Reshape", [residual, parts], "emission/grouped")
    squares = builder.reduce("ReduceSumSquare", grouped, "emission/squares", 2, keepdims=False)
    nu = emission.freedom
    tails = builder.node(
        "Mul", [squares, builder.constant("emission/inverse_freedom", 1.0 / nu)], "emission/tails"
    )
    above_1 = builder.node(
        "Add", [tails, builder.constant("emission/one", np.array(1.0))], "emission/above_1"
    )
    logarithm = builder.node("Log", [above_1], "emission/logarithm")
    weighted = builder.node(
        "Mul",
        [logarithm, builder.constant("emission/exponent", (nu + size) / 2.0)],
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
