"""Files that are damaged, foreign or tampered with: one clear error each, and nothing hangs."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import regimetry as rg
from regimetry.contract import CONTRACT_KEY
from regimetry.errors import ModelError
from regimetry.runtime.seal import sealed


@pytest.fixture
def refuse(model_path, tmp_path, model, values):
    """Change a copy of the model, load it by path and as bytes, and expect the message."""

    def check(change, message):
        proto = onnx.load_from_string(model_path.read_bytes())
        change(proto)
        content = sealed(proto.SerializeToString())
        path = tmp_path / "changed.onnx"
        path.write_bytes(content)
        for load, source in ((rg.load, path), (rg.RegimeModel, content)):
            with pytest.raises(ModelError, match=message) as caught:
                load(source)
            assert str(caught.value).endswith((".", ")"))
        model.predict(values[:50])  # the process goes on

    return check


def weight(proto):
    return max(proto.graph.initializer, key=lambda tensor: len(tensor.raw_data))


def test_no_file_and_no_model(tmp_path):
    with pytest.raises(ModelError, match="no model file"):
        rg.load(tmp_path / "none.onnx")
    with pytest.raises(ModelError, match="no model file"):
        rg.load(tmp_path)
    for content in (b"", b"not a model", b"\x00" * 64, b"\xff" * 64, b"PK\x03\x04" + b"a" * 99):
        path = tmp_path / "damaged.onnx"
        path.write_bytes(content)
        with pytest.raises(ModelError, match="damaged"):
            rg.load(path)
        with pytest.raises(ModelError, match="damaged"):
            rg.RegimeModel(content)


def test_truncated_files(model_path, tmp_path):
    content = model_path.read_bytes()
    path = tmp_path / "damaged.onnx"
    for cut in (1, 10, 100, *np.linspace(200, len(content) - 1, 40).astype(int)):
        path.write_bytes(content[:cut])
        with pytest.raises(ModelError):
            rg.load(path)


def test_every_flipped_bit_is_noticed(model_path):
    content, generator = model_path.read_bytes(), np.random.default_rng(0)
    places = [*generator.integers(0, len(content), 100), *range(len(content) - 120, len(content))]
    for position in places:
        changed = bytearray(content)
        changed[position] ^= 1 << generator.integers(8)
        with pytest.raises(ModelError):
            rg.RegimeModel(bytes(changed))


def test_flipped_bits_that_are_sealed_anew_end_in_a_model_error_or_load(model_path):
    content, generator = model_path.read_bytes(), np.random.default_rng(0)
    refused = 0
    for position in generator.integers(0, 4000, 150):
        changed = bytearray(content)
        changed[position] ^= 1 << generator.integers(8)
        try:
            rg.RegimeModel(sealed(bytes(changed)))
        except (ModelError, ValueError):  # what no reader takes cannot be sealed
            refused += 1
    assert 0 < refused < 150


@pytest.mark.parametrize(
    "location", ["weights.bin", "../weights.bin", "/etc/passwd", "/dev/zero", "none.bin"]
)
def test_data_outside_of_the_file(refuse, tmp_path, location):
    (tmp_path / "weights.bin").write_bytes(bytes(1 << 20))

    def change(proto):
        tensor = weight(proto)
        entries = {"location": location, "offset": 0, "length": len(tensor.raw_data)}
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            tensor.external_data.add(key=key, value=str(value))

    refuse(change, "reference to data outside of it")


def constant_outside(proto):
    tensor = numpy_helper.from_array(np.zeros(2, np.float32), "hidden")
    tensor.data_location = TensorProto.EXTERNAL
    proto.graph.node.insert(0, helper.make_node("Constant", [], ["hidden"], value=tensor))


def operator_of(domain):
    def change(proto):
        proto.graph.node[2].domain = domain
        proto.opset_import.add(domain=domain, version=1)

    return change


def endless_loop(proto):
    go, going = (helper.make_tensor_value_info(n, TensorProto.BOOL, []) for n in ("go", "going"))
    step = helper.make_tensor_value_info("step", TensorProto.INT64, [])
    nodes = [helper.make_node("Identity", ["going"], ["go"])]
    body = helper.make_graph(nodes, "body", [step, going], [go])
    proto.graph.initializer.append(numpy_helper.from_array(np.array(True), "true"))
    proto.graph.node.insert(0, helper.make_node("Loop", ["", "true"], [], body=body))


def function(proto):
    proto.functions.add(name="f", domain="f").opset_import.add(domain="", version=17)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda proto: proto.ClearField("metadata_props"), "not a regimetry model"),
        (constant_outside, "outside of it .weight 'hidden'"),
        (operator_of("com.microsoft"), "the operator .* of the domain 'com.microsoft'"),
        (operator_of("evil.operators"), "the operator .* of the domain 'evil.operators'"),
        (endless_loop, r"control flow \(the operator 'Loop'\)"),
        (function, "functions of its own"),
        (lambda proto: proto.graph.sparse_initializer.add(), "sparse weights"),
        (
            lambda proto: setattr(proto.graph.node[2], "op_type", "Nonsense"),
            "the operator 'Nonsense'",
        ),
        (lambda proto: setattr(proto.opset_import[0], "version", 99), "cannot be read as an ONNX"),
        (lambda proto: setattr(proto, "ir_version", 99), "cannot be read as an ONNX model"),
    ],
)
def test_what_regimetry_never_writes(refuse, change, message):
    refuse(change, message)


@pytest.mark.parametrize("size", [-1, 0, 1 << 40, 1 << 62])
def test_sizes_that_lie(refuse, size):
    def change(proto):
        weight(proto).dims[0] = size

    refuse(change, "cannot be read as an ONNX model|does not run|float32 or int64|other")


def resized(value, axis, size):
    dim = value.type.tensor_type.shape.dim[axis]
    dim.Clear()
    if isinstance(size, str):
        dim.dim_param = size
    else:
        dim.dim_value = size


@pytest.mark.parametrize(
    "change",
    [
        lambda graph: resized(graph.input[0], 1, 12),
        lambda graph: resized(graph.input[0], 1, "rows"),
        lambda graph: resized(graph.input[0], 2, 1 << 40),
        lambda graph: resized(graph.input[0], 0, 1),
        lambda graph: graph.output.pop(),
        lambda graph: graph.input.append(
            helper.make_tensor_value_info("more", TensorProto.FLOAT, ["batch", 2])
        ),
        lambda graph: setattr(graph.input[0], "name", "Window"),
        lambda graph: setattr(graph.output[3].type.tensor_type, "elem_type", TensorProto.DOUBLE),
        lambda graph: graph.ClearField("node"),
    ],
)
def test_a_graph_that_breaks_its_contract(refuse, change):
    refuse(lambda proto: change(proto.graph), "needed|promise|cannot be read|does not run")


@pytest.mark.parametrize("size", [7, 1 << 40])
def test_output_sizes_that_the_graph_does_not_compute(refuse, size):
    refuse(lambda proto: resized(proto.graph.output[1], 1, size), "its metadata promise")


def test_an_output_size_that_is_not_stated_is_what_the_graph_computes(model_path, model, values):
    proto = onnx.load_from_string(model_path.read_bytes())
    resized(proto.graph.output[1], 1, "regimes")
    changed = rg.RegimeModel(sealed(proto.SerializeToString()))
    np.testing.assert_array_equal(changed.predict_proba(values), model.predict_proba(values))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("window_size", 9),
        ("window_size", 10**12),
        ("embedding_size", 23),
        ("schema", [{"name": "x0", "categories": None}]),
        ("transforms", ["level"] * 4),
    ],
)
def test_metadata_that_lie(refuse, name, value):
    def change(proto):
        for entry in proto.metadata_props:
            if entry.key == CONTRACT_KEY:
                entry.value = json.dumps({**json.loads(entry.value), name: value})

    refuse(change, "metadata")
