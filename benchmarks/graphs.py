"""Encoders and model files, as tf2onnx writes them and as we do, for the benchmarks."""

import contextlib
import io
import logging
from dataclasses import dataclass, replace

import keras
import numpy as np
import onnx
import tensorflow as tf
import tf2onnx
from onnx import helper

from regimetry.encoder.build import with_weights
from regimetry.encoder.config import EncoderConfig
from regimetry.encoder.inference import embed_windows
from regimetry.encoder.weights import draw_weights
from regimetry.export.assemble import assemble, assemble_encoder
from regimetry.export.encoder import encoder_part
from regimetry.export.inline import inlined_part
from regimetry.export.opset import IR_VERSION, OPSET
from regimetry.export.part import EncoderPart
from regimetry.regimes.clustering.head import fit_head
from regimetry.regimes.novelty import fit_novelty
from regimetry.series.units import fit_preprocessing
from regimetry.windows import rolling_windows


@dataclass(frozen=True)
class Pair:
    """One model twice: as tf2onnx writes it, and written from its weights."""

    keras: keras.Model
    plain: onnx.ModelProto
    folded: onnx.ModelProto


def random_encoder(**fields: object) -> tuple[keras.Model, EncoderPart]:
    """Return an encoder with random biases and normalisation weights, in Keras and as a part."""
    config = EncoderConfig(**fields)  # type: ignore[arg-type]
    generator = np.random.default_rng(0)
    weights = {
        name: tuple(
            (array + 0.1 * generator.standard_normal(array.shape)).astype(np.float32)
            for array in arrays
        )
        for name, arrays in draw_weights(config, 0).items()
    }
    return with_weights(config, weights), encoder_part(config, weights, OPSET)


def plain_conversion(encoder: keras.Model) -> onnx.GraphProto:
    """Return tf2onnx's own graph, by its defaults."""
    signature = [tf.TensorSpec((None, *encoder.input.shape[1:]), tf.float32, name="windows")]
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with contextlib.redirect_stdout(io.StringIO()):
        model, _ = tf2onnx.convert.from_keras(encoder, input_signature=signature, opset=OPSET)
    return model.graph


def encoder_pair(**fields: object) -> Pair:
    """Return a random encoder alone: windows to embeddings."""
    encoder, part = random_encoder(**fields)
    return Pair(encoder, as_model(plain_conversion(encoder)), assemble_encoder(part))


def model_pair(
    n_features: int, window_size: int, n_landmarks: int, embedding_dim: int | None = 64
) -> Pair:
    """Return whole model files with moments pooling and a head of so many landmarks."""
    generator = np.random.default_rng(0)
    volatility = np.repeat([1.0, 3.0], 100)[np.arange(2000) % 200]
    values = generator.standard_normal((2000, n_features)) * volatility[:, None]
    preprocessing = fit_preprocessing(values, [f"x{i}" for i in range(n_features)], "none")
    windows = rolling_windows(preprocessing.apply(values), window_size)
    encoder, part = random_encoder(
        num_features=n_features,
        embedding_dim=embedding_dim,
        window_size=window_size,
        pooling="moments",
    )
    embeddings = embed_windows(encoder, windows)
    head = fit_head(
        embeddings,
        windows.std(axis=1).mean(axis=1),
        n_regimes=3,
        lag=window_size,
        n_landmarks=n_landmarks,
    )
    novelty, _ = fit_novelty(windows)
    plain, _ = assemble(preprocessing, plain_part(encoder), head, novelty)
    folded, _ = assemble(preprocessing, part, head, novelty)
    return Pair(encoder, plain, folded)


def plain_part(encoder: keras.Model) -> EncoderPart:
    """Return tf2onnx's own graph as a part, which no rule rewrites."""
    _, window_size, n_features = encoder.input_shape
    graph = plain_conversion(encoder)
    part = inlined_part(graph, window_size, n_features, encoder.output_shape[-1], OPSET)
    return replace(part, foreign=False)


def as_model(graph: onnx.GraphProto) -> onnx.ModelProto:
    """Return a graph of tf2onnx as a model with a named batch."""
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    opset = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, ir_version=IR_VERSION, opset_imports=opset)
