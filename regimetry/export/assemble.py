"""The one graph: raw window -> preprocessing -> encoder -> head.

    window (B, R, F) -> scaled (B, W, F) -> embedding (B, D) -> white (B, P) -> points (B, L)
      -> squared (B, M) -> affinity (B, M) -> unit (B, K) -> distance (B, K) -> regime (B,)
    scaled (B, W, F) -> statistics (B, P) -> novelty (B,)

Where single bars tell the regimes, with O the order of the autoregression and C channels,

    scaled -> bars (B, (O + 1) F) -> residual (B, K C) -> squares (B, K) -> distance (B, K)

with R = W or W + 1 rows, P whitened and L slow directions, M landmarks.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import TensorProto, helper

from regimetry.contract import INPUT_NAME
from regimetry.export.emission import add_emission
from regimetry.export.graph import GraphBuilder
from regimetry.export.novelty import add_novelty
from regimetry.export.opset import IR_VERSION, OPSET
from regimetry.regimes.clustering.head import Head
from regimetry.regimes.evidence.emission import Emission
from regimetry.regimes.novelty import NoveltyMap
from regimetry.series.preprocessing import Preprocessing


def assemble(
    preprocessing: Preprocessing,
    encoder: onnx.GraphProto,
    head: Head,
    novelty: NoveltyMap,
    window_size: int,
    *,
    emission: Emission | None = None,
    opset: int = OPSET,
) -> onnx.ModelProto:
    """Join the three parts into one model without metadata.

    Parameters
    ----------
    preprocessing : Preprocessing
    encoder : onnx.GraphProto
        (batch, W, F) -> (batch, D).
    head : Head
    novelty : NoveltyMap
    window_size : int
        W.
    emission : Emission or None
        What tells the regimes in the place of the head's centroids.
    opset : {17, 18}
        That of ``encoder``.

    Returns
    -------
    onnx.ModelProto
        Input ``window``, outputs ``embedding``, ``distance``, ``regime``, ``novelty``; the only
        symbolic dimension is ``batch``. Checked by ``onnx.checker`` with shape inference.
    """
    builder = GraphBuilder(opset)
    rows = window_size + preprocessing.lag
    scaled = add_preprocessing(builder, preprocessing, rows)
    embedding = builder.inline(encoder, scaled, "embedding", prefix="encoder/")
    if emission is None:
        add_head(builder, head, embedding)
    else:
        add_emission(builder, emission, scaled, window_size, len(preprocessing.transforms))
    builder.node("ArgMin", ["distance"], "regime", axis=1, keepdims=0)
    add_novelty(builder, novelty, scaled, window_size)

    n_features, n_regimes = len(preprocessing.transforms), len(head.centroids)
    value = helper.make_tensor_value_info
    outputs = [
        value("embedding", TensorProto.FLOAT, ["batch", len(head.slow.mean)]),
        value("distance", TensorProto.FLOAT, ["batch", n_regimes]),
        value("regime", TensorProto.INT64, ["batch"]),
        value("novelty", TensorProto.FLOAT, ["batch"]),
    ]
    return _model(builder, (rows, n_features), outputs, opset)


def assemble_encoder(
    preprocessing: Preprocessing,
    encoder: onnx.GraphProto,
    window_size: int,
    embedding_size: int,
    *,
    opset: int = OPSET,
) -> onnx.ModelProto:
    """Join preprocessing and encoder alone, while there is no head yet.

    Parameters are those of :func:`assemble`; ``embedding_size`` is D.

    Returns
    -------
    onnx.ModelProto
        Input ``window``, output ``embedding``.
    """
    builder = GraphBuilder(opset)
    rows = window_size + preprocessing.lag
    scaled = add_preprocessing(builder, preprocessing, rows)
    builder.inline(encoder, scaled, "embedding", prefix="encoder/")
    output = helper.make_tensor_value_info(
        "embedding", TensorProto.FLOAT, ["batch", embedding_size]
    )
    return _model(builder, (rows, len(preprocessing.transforms)), [output], opset)


def _model(
    builder: GraphBuilder,
    shape: tuple[int, int],
    outputs: list[onnx.ValueInfoProto],
    opset: int,
) -> onnx.ModelProto:
    """Make a checked model of what was built; ``shape`` is a window's (R, F)."""
    window = helper.make_tensor_value_info(INPUT_NAME, TensorProto.FLOAT, ["batch", *shape])
    graph = helper.make_graph(builder.nodes, "regimetry", [window], outputs, builder.constants)
    model = helper.make_model(
        graph,
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", opset)],
        producer_name="regimetry",
    )
    onnx.checker.check_model(model, full_check=True)
    return model


def add_preprocessing(builder: GraphBuilder, preprocessing: Preprocessing, rows: int) -> str:
    """Add differences, scaling and clipping; equals ``Preprocessing.apply`` on every window."""
    kinds = np.array(preprocessing.transforms)
    value = INPUT_NAME
    if preprocessing.lag:
        zero, one = (
            builder.constant("row_0", np.array([0])),
            builder.constant("row_1", np.array([1])),
        )
        last = builder.constant("row_last", np.array([rows - 1]))
        end = builder.constant("row_end", np.array([rows]))
        before = builder.node("Slice", [INPUT_NAME, zero, last, one], "before")
        now = builder.node("Slice", [INPUT_NAME, one, end, one], "now")
        value = now
        if "difference" in kinds:
            takes = builder.constant("takes_difference", (kinds == "difference").astype(float))
            value = builder.node(
                "Sub", [value, builder.node("Mul", [before, takes], "subtrahend")], "differenced"
            )
        if "log_difference" in kinds:
            takes = builder.constant("takes_log", kinds == "log_difference")
            ratio = builder.node("Div", [now, before], "ratio")
            safe = builder.node(
                "Where", [takes, ratio, builder.constant("one", np.array(1.0))], "safe"
            )
            value = builder.node(
                "Where", [takes, builder.node("Log", [safe], "logarithm"), value], "transformed"
            )
    centred = builder.node("Sub", [value, builder.constant("mean", preprocessing.mean)], "centred")
    scaled = builder.node(
        "Mul", [centred, builder.constant("scale", preprocessing.scale)], "unclipped"
    )
    low = builder.constant("clip_low", np.array(-preprocessing.clip))
    high = builder.constant("clip_high", np.array(preprocessing.clip))
    return builder.node("Clip", [scaled, low, high], "scaled")


def add_head(builder: GraphBuilder, head: Head, embedding: str) -> None:
    """Add the output ``distance`` of whole windows; equals ``Head.outputs``.

    affinity = softmax(-|x - y_j|^2 / (s(x) s_j)); unit = normalise(affinity @ loadings);
    distance_k = |unit - centroid_k|.
    """
    spectral = head.spectral
    # Subtract before the product: a large mean folded into the bias would cancel.
    centred = builder.node(
        "Sub", [embedding, builder.constant("head/mean", head.slow.mean)], "head/centred"
    )
    white = builder.node(
        "MatMul", [centred, builder.constant("head/whitening", head.slow.whitening)], "head/white"
    )
    points = builder.node(
        "Gemm",
        [
            white,
            builder.constant("head/projection", head.projection),
            builder.constant("head/centre", -spectral.centre),
        ],
        "head/points",
    )
    squared = _squared_distances(builder, points, spectral.landmarks, "head/squared")
    ranked = _ranked(builder, squared, spectral.rank, "head/scale", keepdims=True)
    floor = builder.constant("head/scale_floor", np.array(spectral.floor**2))
    scale = builder.node(
        "Sqrt", [builder.node("Max", [ranked, floor], "head/safe_scale")], "head/local_scale"
    )
    weighted = builder.node(
        "Mul",
        [squared, builder.constant("head/minus_scales", -1.0 / spectral.scales)],
        "head/weighted",
    )
    exponent = builder.node("Div", [weighted, scale], "head/exponent")
    affinity = builder.node("Softmax", [exponent], "head/affinity", axis=-1)
    vector = builder.node(
        "MatMul", [affinity, builder.constant("head/loadings", spectral.loadings)], "head/vector"
    )
    norm = builder.reduce("ReduceL2", vector, "head/norm", 1, keepdims=True)
    smallest = builder.constant("head/norm_floor", np.array(1e-30))
    unit = builder.node(
        "Div", [vector, builder.node("Max", [norm, smallest], "head/safe_norm")], "head/unit"
    )

    axis = builder.constant("head/axis", np.array([1]))
    offset = builder.node(
        "Sub",
        [
            builder.node("Unsqueeze", [unit, axis], "head/unit_column"),
            builder.constant("head/centroids", head.centroids[None]),
        ],
        "head/offset",
    )
    builder.reduce("ReduceL2", offset, "distance", 2, keepdims=False)


def _squared_distances(builder: GraphBuilder, points: str, landmarks: np.ndarray, name: str) -> str:
    """``|x|^2 - 2 x y^T + |y|^2`` of centred points (B, L) and landmarks (M, L), up to rounding."""
    product = builder.node(
        "Gemm",
        [
            points,
            builder.constant(f"{name}_landmarks", -2.0 * landmarks),
            builder.constant(f"{name}_squares", np.sum(landmarks**2, axis=1)),
        ],
        f"{name}_product",
        transB=1,
    )
    squares = builder.reduce("ReduceSumSquare", points, f"{name}_own", 1, keepdims=True)
    return builder.node("Add", [product, squares], name)


def _ranked(builder: GraphBuilder, values: str, rank: int, name: str, *, keepdims: bool) -> str:
    """Return the value of the given rank, the smallest 0, of every row: (B, 1) or (B,)."""
    count = builder.constant(f"{name}_count", np.array([rank + 1]))
    builder.nodes.append(
        helper.make_node(
            "TopK",
            [values, count],
            [f"{name}_nearest", f"{name}_which"],
            f"{name}_topk",
            largest=0,
        )
    )
    position = builder.constant(f"{name}_rank", np.array([rank] if keepdims else rank))
    return builder.node("Gather", [f"{name}_nearest", position], f"{name}_ranked", axis=1)
