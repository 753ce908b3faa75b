"""The float16 file: what becomes half, what stays, and how it is judged."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import regimetry as rg
from regimetry.check.golden import golden_path
from regimetry.check.parity import excess, measure
from regimetry.check.verify import verify
from regimetry.contract import OUTPUT_NAMES, PRECISION_KEY
from regimetry.errors import ModelError
from regimetry.export.float16 import assess, to_float16
from regimetry.export.stamp import stamp
from regimetry.windows import rolling_windows


@pytest.fixture(scope="module")
def graph(detector):
    return onnx.load_from_string(detector.model_.content)


@pytest.fixture(scope="module")
def half(graph):
    return to_float16(graph)


def kinds(model):
    """Element type of every value and constant."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    values = (*graph.input, *graph.value_info, *graph.output)
    return {v.name: v.type.tensor_type.elem_type for v in values} | {
        t.name: t.data_type for t in graph.initializer
    }


def test_the_encoders_products_are_half_and_the_rest_is_not(graph, half):
    types = kinds(half)
    half_operators = {
        node.op_type
        for node in half.graph.node
        if node.op_type != "Cast" and types[node.output[0]] == TensorProto.FLOAT16
    }
    assert {"MatMul", "Softmax", "Add"} <= half_operators
    assert not half_operators & {"Sub", "Mul", "Div", "Sqrt", "ReduceMean", "ReduceSum", "Clip"}
    for node in half.graph.node:
        head = any(name.startswith(("head/", "novelty/")) for name in node.output)
        if head and node.op_type != "Cast":
            assert TensorProto.FLOAT16 not in [types[name] for name in (*node.input, *node.output)]
    for name in ("window", "embedding", "distance", "novelty", "mean", "scale"):
        assert types[name] == TensorProto.FLOAT
    assert types["regime"] == TensorProto.INT64
    assert len({node.name for node in half.graph.node}) == len(half.graph.node)


def test_no_value_is_cast_twice_and_no_cast_is_undone(half):
    casts = [node for node in half.graph.node if node.op_type == "Cast"]
    made = {node.output[0] for node in casts}
    assert len({(node.input[0], node.attribute[0].i) for node in casts}) == len(casts)
    assert not [node for node in casts if node.input[0] in made]


def test_the_file_is_smaller_and_close(detector, graph, half, values):
    content = stamp(half, detector.model_.contract, precision="float16")
    report = assess(detector.model_.content, content, rolling_windows(values, 11))
    assert report.parity.windows == 690
    assert report.agreement > 0.995
    assert excess(report.parity, "float16") is None
    assert report.parity.embedding > 1e-5  # half precision shows
    assert report.bytes_after < report.bytes_before
    assert report.us_before > 0
    assert report.us_after > 0
    assert report.device == "CPUExecutionProvider"


def test_it_loads_in_onnxruntime_and_in_the_reference_evaluator(detector, half):
    windows, expected = detector.golden_.window, detector.golden_.expected
    session = onnxruntime.InferenceSession(
        half.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for found in (
        session.run(list(OUTPUT_NAMES), {"window": windows}),
        ReferenceEvaluator(half).run(list(OUTPUT_NAMES), {"window": windows}),
    ):
        outputs = dict(zip(OUTPUT_NAMES, found, strict=True))
        assert all(outputs[n].dtype == np.float32 for n in ("embedding", "distance", "novelty"))
        assert excess(measure(outputs, expected, "float16"), "float16") is None
        assert excess(measure(outputs, expected)) is not None  # it is no float32 file


def test_verify_holds_it_to_its_own_tolerances(detector, half, model_path, tmp_path):
    path = tmp_path / "h.onnx"
    golden = golden_path(model_path).read_bytes()
    golden_path(path).write_bytes(golden)
    path.write_bytes(stamp(half, detector.model_.contract, precision="float16"))
    found = verify(path)
    assert found.precision == "float16"
    assert found.failures == ()
    path.write_bytes(stamp(half, detector.model_.contract))  # the same, unmarked
    assert len(verify(path).failures) == 3
    spoilt = onnx.ModelProto()
    spoilt.CopyFrom(half)
    tensor = next(t for t in spoilt.graph.initializer if t.name == "head/centroids")
    array = numpy_helper.to_array(tensor).copy()
    array.flat[0] += 0.5
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))
    path.write_bytes(stamp(spoilt, detector.model_.contract, precision="float16"))
    assert len(verify(path).failures) == 3


def test_the_metadata_say_so(detector, half):
    content = stamp(half, detector.model_.contract, precision="float16")
    model = onnx.load_from_string(content)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    assert metadata[PRECISION_KEY] == "float16"
    assert PRECISION_KEY not in {
        entry.key for entry in onnx.load_from_string(detector.model_.content).metadata_props
    }


def small_graph(nodes, constants, width):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "small",
        [value("window", TensorProto.FLOAT, ["batch", 3])],
        [value("embedding", TensorProto.FLOAT, ["batch", width])],
        [numpy_helper.from_array(np.asarray(v, dtype=np.float32), k) for k, v in constants.items()],
    )
    return helper.make_model(graph, ir_version=9, opset_imports=[helper.make_opsetid("", 17)])


def run(model, windows):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"window": windows})[0]


def test_a_large_mean_a_small_guard_and_a_mask_survive():
    """What float16 would lose: 1e5 and a fraction, + 1e-8 under a quotient, a mask of -1e9."""
    node = helper.make_node
    model = small_graph(
        [
            node("Sub", ["window", "mean"], ["centred"]),
            node("Clip", ["centred", "low", "high"], ["scaled"]),
            node("MatMul", ["scaled", "weights"], ["product"]),
            node("Add", ["product", "mask"], ["masked"]),
            node("Softmax", ["masked"], ["weight"]),
            node("Mul", ["weight", "weight"], ["square"]),
            node("Add", ["square", "guard"], ["guarded"]),
            node("Div", ["square", "guarded"], ["embedding"]),
        ],
        {
            "mean": 1e5,
            "low": -6.0,
            "high": 6.0,
            "weights": np.eye(3),
            "mask": [0.0, 0.0, -1e9],
            "guard": 1e-8,
        },
        3,
    )
    converted = to_float16(model)
    windows = np.array([[1e5 + 0.125, 1e5 - 0.25, 1e5]], dtype=np.float32)
    for found in (
        run(converted, windows),
        ReferenceEvaluator(converted).run(None, {"window": windows})[0],
    ):
        np.testing.assert_allclose(found, run(model, windows), atol=1e-3)
        assert found[0, 2] == 0.0
    types = kinds(converted)
    assert types["masked"] == TensorProto.FLOAT16
    assert types["guarded"] == TensorProto.FLOAT


def test_layer_normalisation_as_one_operator_becomes_half():
    node = helper.make_node
    model = small_graph(
        [
            node("Clip", ["window", "low", "high"], ["scaled"]),
            node("Gemm", ["scaled", "weights", "bias"], ["product"]),
            node("LayerNormalization", ["product", "gain", "shift"], ["normal"], epsilon=1e-6),
            node("Add", ["normal", "product"], ["embedding"]),
        ],
        {
            "low": -6.0,
            "high": 6.0,
            "weights": np.random.default_rng(0).standard_normal((3, 4)),
            "bias": np.zeros(4),
            "gain": np.ones(4),
            "shift": np.zeros(4),
        },
        4,
    )
    converted = to_float16(model)
    operators = [node.op_type for node in converted.graph.node]
    assert operators == ["Clip", "Cast", "Gemm", "LayerNormalization", "Add", "Cast"]
    windows = np.random.default_rng(1).standard_normal((5, 3)).astype(np.float32)
    found = ReferenceEvaluator(converted).run(None, {"window": windows})[0]
    np.testing.assert_allclose(found, run(model, windows), atol=5e-3)
    np.testing.assert_allclose(run(converted, windows), run(model, windows), atol=5e-3)


def test_a_graph_without_our_scaling_is_refused():
    model = small_graph([helper.make_node("Relu", ["window"], ["embedding"])], {}, 3)
    with pytest.raises(ModelError, match="no scaling that ends in a Clip"):
        to_float16(model)


def test_an_output_that_is_no_number_is_no_agreement(detector, graph, values):
    """With one regime every label agrees; the outputs must still be numbers."""
    model = onnx.ModelProto()
    model.CopyFrom(graph)
    tensor = next(t for t in model.graph.initializer if t.name == "novelty/scale")
    nothing = numpy_helper.to_array(tensor) * np.float32(np.nan)
    tensor.CopyFrom(numpy_helper.from_array(nothing, "novelty/scale"))
    windows = rolling_windows(values, 11)[:20]
    report = assess(detector.model_.content, model.SerializeToString(), windows)
    assert report.parity.agreement == 1.0
    assert report.agreement == 0.0
    assert report.to_dict()["parity"]["novelty"] is None


@pytest.mark.parametrize(
    "parameters",
    [
        {"embedding_dim": None, "encoding_method": "learnable", "pooling": "last"},
        {"pooling": "attention", "padding_mask": True, "look_ahead_mask": True},
    ],
)
def test_other_encoders(values, tmp_path, parameters):
    base = {"embedding_dim": 8, "head_size": 8, "num_heads": 2, "ff_dim": 8}
    detector = rg.RegimeDetector(
        encoder=rg.EncoderConfig(**{**base, **parameters}),
        n_regimes=2,
        objective=None,
        n_landmarks=100,
        random_state=0,
    ).fit(values)
    path = tmp_path / "m.onnx"
    detector.save(path)
    assert verify(path).failures == ()
    half = to_float16(onnx.load(path))
    path.write_bytes(stamp(half, detector.model_.contract, precision="float16"))
    assert verify(path).failures == ()
