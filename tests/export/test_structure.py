"""What other runtimes need of a graph's structure, whoever wrote the encoder.

Each check is a function that names what breaks it, so that a spoilt graph shows that it is seen.
"""

from collections import Counter
from dataclasses import replace

import keras
import onnx
import pytest
from encoders import FAST, fit_fast
from keras import layers

from regimetry.contract import OUTPUT_NAMES
from regimetry.encoder.pooling import MomentsPooling
from regimetry.export.series_form import to_series

W, F = 10, 4


def shapes(model):
    return {tensor.name: list(tensor.dims) for tensor in model.graph.initializer}


def makers(model):
    return {name: node for node in model.graph.node for name in node.output}


def faults(model, opset=17):
    """What breaks the rules that every graph keeps."""
    constants, made = shapes(model), makers(model)
    read = Counter(name for node in model.graph.node for name in node.input)
    if model.ir_version != 8:
        yield f"IR version {model.ir_version}"
    if [(item.domain, item.version) for item in model.opset_import] != [("", opset)]:
        yield "opset"
    for name in OUTPUT_NAMES:
        if made[name].name != name:
            yield f"{name} is written by {made[name].name}"
        if read[name]:
            yield f"{name} is read inside"
    for node in model.graph.node:
        for position, name in enumerate(node.output):
            unread = not read[name] and name not in OUTPUT_NAMES
            if unread and (node.op_type, position) != ("TopK", 1):
                yield f"nothing reads {name}"
        if node.op_type == "Range" and any(constants.get(name) for name in node.input):
            yield "Range of arrays"
        if node.op_type == "Gather":
            source = made.get(node.input[0])
            if source is not None and source.op_type == "Shape" and constants[node.input[1]]:
                yield "Gather of an array from a shape"


def foreign_to_some(model):
    """What stops one runtime or another; an encoder from elsewhere may have it."""
    constants, made = shapes(model), makers(model)
    for node in model.graph.node:
        source = made.get(node.input[0])
        if node.op_type == "Where":
            yield "Where"
        if node.op_type == "Squeeze" and source is not None and "Reduce" in source.op_type:
            yield "Squeeze of what was reduced"
        if node.op_type == "Gemm" and len(node.input) > 2 and node.input[2] not in constants:
            yield "Gemm with a computed C"
        if node.op_type == "Gather" and source is not None and source.op_type == "TopK":
            yield "Gather of a rank"


def forms(detector):
    model = onnx.load_from_string(detector.model_.content)
    return model, to_series(model)


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize("evidence", ["auto", "window"])
def test_our_graphs_keep_every_rule_in_both_forms(evidence, opset, values):
    detector = fit_fast(values, evidence=evidence, opset=opset)
    for model in forms(detector):
        assert not [*faults(model, opset), *foreign_to_some(model)]
    ranks = any(node.op_type == "TopK" for node in model.graph.node)
    assert ranks is (evidence == "window")  # so that both kinds of evidence are among them


def test_a_padding_mask_alone_brings_a_where(values):
    masked = replace(FAST, padding_mask=True, look_ahead_mask=True)
    for model in forms(fit_fast(values, encoder=masked)):
        assert not list(faults(model))
        assert set(foreign_to_some(model)) == {"Where"}


def attention(tokens):
    return layers.GlobalAveragePooling1D()(layers.MultiHeadAttention(2, 4)(tokens, tokens))


def convolutions(tokens):
    return MomentsPooling()(layers.Conv1D(6, 3, padding="causal", activation="relu")(tokens))


def dense(tokens):
    return layers.Flatten()(layers.Dense(3)(tokens))


def normalised(tokens):
    return layers.LayerNormalization()(layers.GlobalMaxPooling1D()(layers.Dense(6)(tokens)))


@pytest.mark.parametrize("opset", [17, 18])
@pytest.mark.parametrize("evidence", ["auto", "window"])
@pytest.mark.parametrize("encoder", [attention, convolutions, dense, normalised])
def test_around_a_keras_model_of_ones_own_as_well(encoder, evidence, opset, values):
    inputs = keras.Input((W, F))
    model = keras.Model(inputs, encoder(inputs))
    for form in forms(fit_fast(values, encoder=model, evidence=evidence, opset=opset)):
        assert not list(faults(form, opset))


def renamed(model):
    makers(model)["embedding"].name = "rows/3"


def read(model):
    makers(model)["regime"].input[0] = "distance"


def newer(model):
    model.ir_version = 9


def wider(model):
    rank = next(t for t in model.graph.initializer if t.name == range_of(model).input[0])
    rank.dims.append(1)


def range_of(model):
    return next(node for node in model.graph.node if node.op_type == "Range")


def unread(model):
    model.graph.node.append(onnx.helper.make_node("Relu", ["distance_before"], ["nothing"]))


def array_of_the_shape(model):
    gather = next(
        node
        for node in model.graph.node
        if node.op_type == "Gather" and makers(model)[node.input[0]].op_type == "Shape"
    )
    next(t for t in model.graph.initializer if t.name == gather.input[1]).dims.append(1)


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (newer, "IR version 9"),
        (renamed, "embedding is written by rows/3"),
        (read, "distance is read inside"),
        (unread, "nothing reads nothing"),
        (wider, "Range of arrays"),
        (array_of_the_shape, "Gather of an array from a shape"),
    ],
)
def test_a_spoilt_graph_is_told(spoil, found, detector):
    _, model = forms(detector)
    spoil(model)
    assert found in list(faults(model))
    assert "opset" in list(faults(model, 18))


@pytest.mark.parametrize(
    ("operator", "source", "found"),
    [
        ("Where", "Relu", "Where"),
        ("Squeeze", "ReduceMean", "Squeeze of what was reduced"),
        ("Gemm", "Relu", "Gemm with a computed C"),
        ("Gather", "TopK", "Gather of a rank"),
    ],
)
def test_what_stops_some_runtimes_is_told(operator, source, found):
    nodes = [
        onnx.helper.make_node(source, ["x"], ["a"]),
        onnx.helper.make_node(operator, ["a", "b", "a"], ["y"]),
    ]
    model = onnx.helper.make_model(onnx.helper.make_graph(nodes, "g", [], []))
    assert list(foreign_to_some(model)) == [found]
