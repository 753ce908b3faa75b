"""Keras to ONNX, by tf2onnx."""

from __future__ import annotations

import contextlib
import io
import logging

import keras
import onnx
import tensorflow as tf
import tf2onnx

OPSET = 17
"""The oldest opset that has every operator of the graph; tested up to 17."""


def encoder_to_onnx(encoder: keras.Model) -> onnx.GraphProto:
    """Convert a functional Keras model of one input and one output.

    Parameters
    ----------
    encoder : keras.Model
        (batch, W, F) -> (batch, D).

    Returns
    -------
    onnx.GraphProto
        Of the default domain, opset :data:`OPSET`. tf2onnx's name for the batch dimension stays
        in it; the assembled graph names its own.
    """
    shape = encoder.input.shape
    signature = [tf.TensorSpec((None, *shape[1:]), tf.float32, name="windows")]
    logger = logging.getLogger("tf2onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        # Grappler and tf2onnx report their progress on both streams.
        with contextlib.redirect_stdout(io.StringIO()):
            model, _ = tf2onnx.convert.from_keras(encoder, input_signature=signature, opset=OPSET)
    finally:
        logger.setLevel(level)
    return model.graph
