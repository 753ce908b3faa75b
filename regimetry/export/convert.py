"""Keras to ONNX, by tf2onnx."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from typing import get_args

import keras
import onnx
import tensorflow as tf
import tf2onnx
from tf2onnx import optimizer

from regimetry.errors import ExportError
from regimetry.export.opset import OPSET, Opset
from regimetry.parameters import require_choice

_DROPOUT = 0.1


def encoder_to_onnx(encoder: keras.Model, *, opset: int = OPSET) -> onnx.GraphProto:
    """Convert a functional Keras model of one input and one output.

    Parameters
    ----------
    encoder : keras.Model
        (batch, W, F) -> (batch, D).
    opset : {17, 18}

    Returns
    -------
    onnx.GraphProto
        Of the default domain, channels last throughout: one pattern for each kind of layer, which
        the rewrite rules read. tf2onnx's name for the batch dimension stays in it; the assembled
        graph names its own.

    Raises
    ------
    ConfigError
        The opset is out of range.
    ExportError
        A layer cannot be written as ONNX operators, or the model is of another shape.
    """
    require_choice("opset", opset, get_args(Opset))
    twin = _inference_twin(encoder)
    signature = [tf.TensorSpec((None, *twin.inputs[0].shape[1:]), tf.float32, name="windows")]
    # Without optimize_transpose, which would mix channels first and last.
    optimizers = {
        name: factory
        for name, factory in optimizer._get_optimizers().items()
        if name != "optimize_transpose"
    }
    try:
        with _quiet_conversion():
            model, _ = tf2onnx.convert.from_keras(
                twin, input_signature=signature, opset=opset, optimizers=optimizers
            )
    except Exception as error:  # whatever a foreign layer raises while it is traced
        raise ExportError(
            f"The encoder {encoder.name!r} cannot be converted to ONNX "
            f"({str(error).strip().splitlines()[-1] if str(error).strip() else error!r}). "
            "Use layers that tf2onnx supports."
        ) from error
    _require_known_operators(model.graph, encoder.name, opset)
    return model.graph


def _inference_twin(encoder: keras.Model) -> keras.Model:
    """Return a functional model of the same function, for which tf2onnx writes the same graph.

    Without dropout Keras computes attention by another path, and tf2onnx writes another graph of
    three times the nodes; at inference dropout does nothing. The two paths differ for one case, a
    row that sees no key at all: the one with dropout, which files use, gives it weights of 0.
    """
    if len(encoder.inputs) != 1 or len(encoder.outputs) != 1 or len(encoder.inputs[0].shape) != 3:
        shapes = ", ".join(str(tuple(item.shape)) for item in encoder.inputs)
        raise ExportError(
            f"The encoder {encoder.name!r} has inputs of shapes {shapes} and "
            f"{len(encoder.outputs)} outputs; expected one input (batch, W, F) and one output. "
            "Wrap it in a functional model of that form."
        )
    if isinstance(encoder, keras.Sequential):
        encoder = keras.Model(encoder.inputs, encoder.outputs, name=encoder.name)
    if not any(
        isinstance(layer, keras.layers.MultiHeadAttention) and not layer.dropout
        for layer in encoder.layers
    ):
        return encoder
    twin = keras.models.clone_model(encoder, clone_function=_with_dropout)
    twin.set_weights(encoder.get_weights())
    return twin


def _with_dropout(layer: keras.layers.Layer) -> keras.layers.Layer:
    config = layer.get_config()
    if isinstance(layer, keras.layers.MultiHeadAttention):
        config["dropout"] = _DROPOUT
    return type(layer).from_config(config)


@contextlib.contextmanager
def _quiet_conversion() -> Iterator[None]:
    """Hold back what Grappler and tf2onnx report of their progress, on both streams."""
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)


def _require_known_operators(graph: onnx.GraphProto, name: str, opset: int) -> None:
    """tf2onnx leaves an operator that it does not know in the graph, under TensorFlow's name."""
    unknown = sorted(
        {
            node.op_type
            for node in graph.node
            if node.domain not in ("", "ai.onnx") or not onnx.defs.has(node.op_type, opset)
        }
    )
    if unknown:
        raise ExportError(
            f"The encoder {name!r} needs {', '.join(unknown)}, which ONNX's default operators of "
            f"opset {opset} do not have. Use other layers."
        )
