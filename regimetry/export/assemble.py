"""The one graph: raw window -> preprocessing -> encoder -> head.

    window (B, R, F) -> scaled (B, W, F) -> embedding (B, D) -> distance (B, K) -> regime (B,)
    scaled (B, W, F) -> novelty (B,)

with R = W rows, one more where a column is differenced, and those before the window that the
encoder reads; all else reads the last W. With single bars as evidence, distance is computed from
scaled. Each part has its own file; here they are joined.
"""

from __future__ import annotations

import onnx
import onnx_ir as ir

from regimetry.contract import INPUT_NAME, RuleReport, output_tensors
from regimetry.export.convolutions import last_rows
from regimetry.export.emission import emission_distance, moving_distance
from regimetry.export.head import head_distances
from regimetry.export.novelty import window_novelty
from regimetry.export.opset import IR_VERSION
from regimetry.export.part import EncoderPart
from regimetry.export.preprocessing import scaled_window
from regimetry.export.rules import optimise
from regimetry.export.tape import Tape
from regimetry.regimes.clustering.head import Head
from regimetry.regimes.density.moving import MovingEmission
from regimetry.regimes.evidence.emission import Emission
from regimetry.regimes.novelty import NoveltyMap
from regimetry.series.preprocessing import Preprocessing


def assemble(
    preprocessing: Preprocessing,
    encoder: EncoderPart,
    head: Head,
    novelty: NoveltyMap,
    *,
    emission: Emission | MovingEmission | None = None,
) -> tuple[onnx.ModelProto, tuple[RuleReport, ...]]:
    """Join the parts into one model without metadata.

    Parameters
    ----------
    preprocessing : Preprocessing
    encoder : EncoderPart
    head : Head
    novelty : NoveltyMap
    emission : Emission, MovingEmission or None
        Tells the regimes by single bars, in place of the head's centroids.

    Returns
    -------
    onnx.ModelProto
        Input ``window``, outputs ``embedding``, ``distance``, ``regime``, ``novelty``, and
        ``hindsight`` of a head that reads two halves; the only symbolic dimension is ``batch``.
        Checked by ``onnx.checker`` with shape inference.
    tuple of RuleReport
        What the rewrite rules did to an encoder that another program wrote; empty for ours.
    """
    tape, window_size = Tape(opset=encoder.opset), encoder.window_size
    window, read = _scaled(tape, preprocessing, window_size + encoder.reach)
    embedding = encoder.record(tape.part("encoder"), read)
    scaled = last_rows(tape.part("recent"), read, window_size, encoder.reach)
    hindsight = None
    # An output that other nodes read as well stops converters: it is a copy, which costs nothing.
    if emission is None:
        compared, hindsight = head_distances(tape.part("head"), head, embedding)
        embedding, distance = tape.Identity(embedding), tape.Identity(compared)
    elif isinstance(emission, MovingEmission):
        distance, compared = moving_distance(
            tape.part("emission"), emission, scaled, window_size, encoder.n_features
        )
    else:
        distance, compared = emission_distance(
            tape.part("emission"), emission, scaled, window_size, encoder.n_features
        )
    values = {
        "embedding": embedding,
        "distance": distance,
        "regime": tape.ArgMin(compared, axis=1, keepdims=0),
        "novelty": window_novelty(tape.part("novelty"), novelty, scaled, window_size),
        **({} if hindsight is None else {"hindsight": hindsight}),
    }
    sizes = {"D": encoder.size, "K": len(head.centroids)}
    outputs = [
        tensor_of(values[name], name, *shape, dtype=ir.DataType.from_numpy(dtype))
        for name, dtype, shape in output_tensors(sizes, hindsight=hindsight is not None)
    ]
    model = as_model(tape, window, outputs)
    return optimise(model) if encoder.foreign else (model, ())


def assemble_encoder(
    encoder: EncoderPart, preprocessing: Preprocessing | None = None
) -> onnx.ModelProto:
    """Return an encoder alone as a model, while there is no head yet.

    Parameters
    ----------
    encoder : EncoderPart
    preprocessing : Preprocessing or None
        ``None`` reads windows that are scaled already.

    Returns
    -------
    onnx.ModelProto
        Input ``window``, output ``embedding``.
    """
    tape, rows = Tape(opset=encoder.opset), encoder.window_size + encoder.reach
    if preprocessing is None:
        window = scaled = tensor_of(ir.Value(), INPUT_NAME, rows, encoder.n_features)
    else:
        window, scaled = _scaled(tape, preprocessing, rows)
    embedding = encoder.record(tape.part("encoder"), scaled)
    model = as_model(tape, window, [tensor_of(embedding, "embedding", encoder.size)])
    return optimise(model)[0] if encoder.foreign else model


def as_model(tape: Tape, window: ir.Value, outputs: list[ir.Value]) -> onnx.ModelProto:
    """Make a checked model of what was recorded."""
    graph = ir.Graph(
        [window],
        outputs,
        nodes=tape.nodes,
        initializers=tape.constants,
        opset_imports={"": tape.opset},
        name="regimetry",
    )
    model = ir.to_proto(ir.Model(graph, ir_version=IR_VERSION, producer_name="regimetry"))
    onnx.checker.check_model(model, full_check=True)
    return model


def tensor_of(
    value: ir.Value, name: str, *sizes: int, dtype: ir.DataType = ir.DataType.FLOAT
) -> ir.Value:
    """Make a value an input or output (batch, *sizes) of the graph; its node is named after it."""
    value.name, value.type, value.shape = name, ir.TensorType(dtype), ir.Shape(("batch", *sizes))
    if (node := value.producer()) is not None:
        node.name = name
    return value


def _scaled(
    tape: Tape, preprocessing: Preprocessing, scaled_rows: int
) -> tuple[ir.Value, ir.Value]:
    """Return the graph's input, and the value after preprocessing."""
    rows = scaled_rows + preprocessing.rows_before
    window = tensor_of(ir.Value(), INPUT_NAME, rows, len(preprocessing.transforms))
    return window, scaled_window(tape.part("preprocessing"), preprocessing, window, rows)
