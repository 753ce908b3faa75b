"""Novelty in the graph: statistics of the scaled window under a mixture of Gaussians."""

from __future__ import annotations

import numpy as np

from regimetry.export.graph import GraphBuilder
from regimetry.regimes.novelty import VARIANCE_FLOOR, NoveltyMap


def add_novelty(builder: GraphBuilder, novelty: NoveltyMap, scaled: str, window_size: int) -> None:
    """Add the output ``novelty`` (B,), from ``scaled`` (B, W, F); equals ``NoveltyMap.transform``.

    x (B, W, C) -> mean (B, 1, C), z = (x - mean) / deviation -> log deviations (B, C),
    z' z (B, C C); u = x / root mean square, u u' (B, W W) -> statistics (B, P)
    -> squares (B, Q) -> density (B, 1).
    """

    def constant(name: str, value: object) -> str:
        return builder.constant(f"novelty/{name}", np.asarray(value))

    def node(operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        return builder.node(operator, inputs, f"novelty/{output}", **attributes)

    n_channels, n_components = len(novelty.low), len(novelty.peaks)
    rows = scaled
    if novelty.channels is not None:
        rows = node("MatMul", [rows, constant("channels", novelty.channels)], "rows")
    mean = builder.reduce("ReduceMean", rows, "novelty/mean", 1, keepdims=True)
    centred = node("Sub", [rows, mean], "centred")
    deviation = _root_mean_square(builder, centred)
    z = node("Div", [centred, deviation], "z")
    turned = node("Transpose", [z], "turned", perm=[0, 2, 1])
    whole = node("Div", [rows, _root_mean_square(builder, rows)], "whole")
    across = node("Transpose", [whole], "across", perm=[0, 2, 1])
    flat = constant("flat_channels", [-1, n_channels])
    pairs = constant("flat_pairs", [-1, n_channels**2])
    bars = constant("flat_bars", [-1, window_size**2])
    parts = [
        node("Log", [node("Reshape", [deviation, flat], "deviations")], "log_deviations"),
        node("Reshape", [node("MatMul", [turned, z], "channel_products"), pairs], "pairs"),
        node("Reshape", [node("MatMul", [whole, across], "row_products"), bars], "bars"),
    ]
    raw = node("Concat", parts, "raw", axis=1)
    # Subtract before the product: folded into a bias, the mean would cancel.
    middle = node("Sub", [raw, constant("middle", novelty.middle)], "about_middle")
    statistics = node("MatMul", [middle, constant("reading", novelty.reading)], "statistics")
    whitening = constant("whitening", novelty.whitening)
    whitened = node("Gemm", [statistics, whitening, constant("centres", -novelty.centres)], "white")
    halves = np.repeat(np.eye(n_components), novelty.reading.shape[1], axis=0) / -2.0
    squares = node("Mul", [whitened, whitened], "squares")
    exponent = node(
        "Gemm", [squares, constant("halves", halves), constant("peaks", novelty.peaks)], "exponent"
    )
    largest = builder.reduce("ReduceMax", exponent, "novelty/largest", 1, keepdims=True)
    powers = node("Exp", [node("Sub", [exponent, largest], "shifted")], "powers")
    total = node("MatMul", [powers, constant("ones", np.ones((n_components, 1)))], "total")
    density = node("Add", [node("Log", [total], "log_total"), largest], "density")
    # Rounding can bring the density above its peak.
    surprise = node(
        "Relu", [node("Mul", [density, constant("minus_two", -2.0)], "twice")], "surprise"
    )

    means = node("Reshape", [mean, flat], "means")
    below = node("Sub", [constant("low", novelty.low), means], "below")
    above = node("Sub", [means, constant("high", novelty.high)], "above")
    outside = node(
        "Mul",
        [node("Max", [below, above], "beyond"), constant("per_level", 1.0 / novelty.level)],
        "outside",
    )
    farthest = builder.reduce("ReduceMax", outside, "novelty/farthest", 1, keepdims=True)
    excess = node("Relu", [farthest], "excess")
    both = node("Add", [surprise, node("Mul", [excess, excess], "excess_square")], "both")
    root = node("Mul", [node("Sqrt", [both], "root"), constant("scale", 1.0 / novelty.scale)], "of")
    builder.node("Reshape", [root, constant("flat", [-1])], "novelty")


def _root_mean_square(builder: GraphBuilder, value: str) -> str:
    """Add sqrt(mean over the bars of the squares + floor): (B, W, C) to (B, 1, C)."""
    name = f"{value}/novelty"
    square = builder.node("Mul", [value, value], f"{name}/square")
    power = builder.reduce("ReduceMean", square, f"{name}/power", 1, keepdims=True)
    floor = builder.constant(f"{name}/floor", np.array(VARIANCE_FLOOR))
    total = builder.node("Add", [power, floor], f"{name}/variance")
    return builder.node("Sqrt", [total], f"{name}/root")
