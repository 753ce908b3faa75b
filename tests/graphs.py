"""Encoders as ONNX models, for the tests of the rewrite rules."""

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
from keras import Model
from onnx import TensorProto, helper

from regimetry.encoder.build import build_encoder
from regimetry.encoder.config import EncoderConfig
from regimetry.export.assemble import as_model, tensor_of
from regimetry.export.convert import encoder_to_onnx
from regimetry.export.rules import optimise
from regimetry.export.tape import Tape

SMALL = {
    "num_features": 5,
    "embedding_dim": 16,
    "head_size": 12,
    "num_heads": 2,
    "ff_dim": 12,
    "window_size": 7,
    "num_transformer_blocks": 1,
}


RULE_TOLERANCE = 2e-6  # of the largest entry


def random_encoder(**fields):
    """An encoder whose biases and normalisation weights are not the trivial ones."""
    return randomised(build_encoder(EncoderConfig(**{**SMALL, **fields})))


def randomised(model: Model, seed: int = 0) -> Model:
    """Move every weight by noise."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        value = np.asarray(weight.value)
        noise = generator.standard_normal(value.shape)
        weight.assign((value + 0.1 * noise).astype(np.float32))
    return model


def plain_onnx(encoder, opset=17):
    """What tf2onnx writes, as a model with a named batch."""
    graph = encoder_to_onnx(encoder, opset=opset)
    for value in (*graph.input, *graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "batch"
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", opset)])


def graph_model(nodes, inputs, outputs, constants=None):
    """A model of float32 values from nodes and named arrays; shapes start with "batch"."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "test",
        [value(name, TensorProto.FLOAT, shape) for name, shape in inputs.items()],
        [value(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()],
        [onnx.numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])


def part_model(record, input_shape, output_shape, opset=17):
    """A model of what ``record`` writes on a tape: x (batch, ...) to y (batch, ...)."""
    tape = Tape("part", opset)
    x = tensor_of(ir.Value(), "x", *input_shape)
    return as_model(tape, x, [tensor_of(record(tape, x), "y", *output_shape)])


def run(model, *inputs):
    """The outputs of a model in onnxruntime."""
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    names = [item.name for item in session.get_inputs()]
    return session.run(None, dict(zip(names, inputs, strict=True)))


def windows(encoder, count=3, seed=1):
    """Random windows of an encoder's shape."""
    shape = (count, *encoder.inputs[0].shape[1:])
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def apply_rule(model, *rules):
    """Apply rules alone; return the checked model and the last rule's report."""
    rewritten, reports = optimise(model, rules)
    onnx.checker.check_model(rewritten, full_check=True)
    return rewritten, reports[-1]


def check_rule(model, *rules, applied=1, opset=17, values=None):
    """Apply rules to a Keras model's graph, which must go on to equal it.

    Return the graph, the last rule's report, the windows and what Keras makes of them.
    """
    values = windows(model) if values is None else values
    found, report = apply_rule(plain_onnx(model, opset), *rules)
    expected = np.asarray(model(values))
    assert report.applied == applied
    assert difference(run(found, values)[0], expected) < RULE_TOLERANCE
    return found, report, values, expected


def require_sensitive(model, name, values, expected):
    """Check that a shifted entry of a constant shows."""
    changed = run(perturbed(model, name), values)[0]
    assert difference(changed, expected) > RULE_TOLERANCE, name


def operators(model):
    """How often each operator occurs."""
    names = [node.op_type for node in model.graph.node]
    return {name: names.count(name) for name in sorted(set(names))}


def difference(found, expected):
    """Largest difference, relative to the largest entry."""
    return float(np.abs(np.asarray(found) - expected).max() / np.abs(expected).max())


def perturbed(model, name, every=False):
    """The model with one entry of one constant, or every one, moved by 1 % of the largest."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    tensor = next(item for item in changed.graph.initializer if item.name == name)
    array = onnx.numpy_helper.to_array(tensor).copy()
    array.flat[slice(None) if every else array.size // 2] += 1e-2 * np.abs(array).max()
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, name))
    return changed


def rank_of(model, name):
    """How many axes a constant has."""
    return next(len(item.dims) for item in model.graph.initializer if item.name == name)
