"""The seal of a file, the sum of it, and what is tried before a file is taken."""

import hashlib
import pickle

import numpy as np
import onnx
import pytest
from changed import content_of
from onnx import helper, numpy_helper

import regimetry as rg
from regimetry.contract import FORMAT_KEY
from regimetry.errors import ModelError
from regimetry.runtime.seal import SEAL_KEY, sealed


@pytest.fixture
def content(model_path):
    return model_path.read_bytes()


@pytest.fixture
def proto(content):
    return onnx.load_from_string(content)


def refused(content, message, **settings):
    with pytest.raises(ModelError, match=message):
        rg.RegimeModel(content, device="cpu", threads=1, **settings)


def test_the_seal_is_the_sum_of_what_stands_before_it(content, proto):
    *_, last = proto.metadata_props
    assert last.key == SEAL_KEY
    entry = b"\x72" + bytes([last.ByteSize()]) + last.SerializeToString()
    assert content.endswith(entry)
    assert last.value == hashlib.sha256(content.removesuffix(entry)).hexdigest()
    assert sealed(content) == content
    assert proto.SerializeToString(deterministic=True) == content


def test_a_pinned_sum(content, model_path):
    total = hashlib.sha256(content).hexdigest()
    assert rg.load(model_path, sha256=total.upper()).sha256 == total
    with pytest.raises(ModelError, match=f"has the SHA-256 {total}; {'0' * 64} was asked for"):
        rg.load(model_path, sha256="0" * 64)


def test_what_was_changed_and_not_sealed_anew(content, proto):
    proto.producer_name = "another"
    refused(proto.SerializeToString(), "is not as it was written")
    rg.RegimeModel(content_of(proto))
    proto.metadata_props.pop()
    refused(proto.SerializeToString(), "has lost its seal")
    proto.metadata_props.add(key=SEAL_KEY, value="0" * 64)
    refused(proto.SerializeToString(), "is not as it was written")
    proto.metadata_props.add(key="more", value="behind the seal")
    refused(proto.SerializeToString(), "is not as it was written")


def test_an_entry_that_stands_twice(proto):
    proto.metadata_props.add(key=FORMAT_KEY, value="1")
    refused(content_of(proto), "two entries of its metadata are called 'regimetry.format_version'")


def test_another_graph_under_the_same_contract_is_another_model(proto, model, tmp_path, values):
    stream = model.stream()
    stream.push(values[0])
    constant = next(t for t in proto.graph.initializer if t.name == "head/centroids")
    array = numpy_helper.to_array(constant) * np.float32(1.001)
    constant.CopyFrom(numpy_helper.from_array(array, constant.name))
    path = tmp_path / "m.onnx"
    path.write_bytes(content_of(proto))
    other = rg.load(path)
    assert other.contract.fingerprint == model.contract.fingerprint
    with pytest.raises(ValueError, match="restore it with the model file that made it"):
        other.stream().restore(stream.snapshot())
    pickled = pickle.dumps(other)
    path.write_bytes(model.content)
    with pytest.raises(ModelError, match="It is another file, or was changed"):
        pickle.loads(pickled)


def test_a_weight_that_is_no_number(proto):
    constant = next(t for t in proto.graph.initializer if t.name == "novelty/scale")
    array = np.full_like(numpy_helper.to_array(constant), np.nan)
    constant.CopyFrom(numpy_helper.from_array(array, constant.name))
    refused(content_of(proto), "gives novelty that are not finite")
    rg.RegimeModel(content_of(proto), warm_up=False)  # as asked for


def test_a_graph_that_mixes_the_windows_of_a_batch(proto):
    for node in proto.graph.node:
        for names in (node.input, node.output):
            names[:] = ["before" if name == "distance" else name for name in names]
    proto.graph.node.append(helper.make_node("ReduceMean", ["before"], ["mean"], axes=[0]))
    proto.graph.node.append(helper.make_node("Add", ["before", "mean"], ["distance"]))
    refused(content_of(proto), "gives one window another distance when other windows stand")


def test_a_size_that_depends_on_data(proto):
    for name, value in (("zero", 0), ("one", 1)):
        proto.graph.initializer.append(numpy_helper.from_array(np.array(value, np.int64), name))
    for node in (
        helper.make_node("Range", ["zero", "whole", "one"], ["range"]),
        helper.make_node("Cast", ["most"], ["whole"], to=onnx.TensorProto.INT64),
        helper.make_node("ReduceMax", ["window"], ["most"], keepdims=0),
    ):
        proto.graph.node.insert(0, node)
    refused(content_of(proto), "the size of 'range' cannot be told before it runs")


def test_more_work_than_any_model_of_ours(proto):
    proto.graph.initializer.append(
        numpy_helper.from_array(np.ones((20_000, 1), np.float32), "tall")
    )
    proto.graph.initializer.append(
        numpy_helper.from_array(np.ones((1, 20_000), np.float32), "wide")
    )
    proto.graph.node.insert(0, helper.make_node("MatMul", ["tall", "wide"], ["square"]))
    refused(content_of(proto), r"takes 8\.0e\+08 bytes of memory for one window")


def test_inspect_says_the_sum_and_the_seal(model_path, content, run, answer):
    total = hashlib.sha256(content).hexdigest()
    out = run("inspect", model_path).out
    assert f"SHA-256       {total}" in out
    assert "seal          whole" in out
    found = answer("inspect", model_path)
    assert (found["sha256"], found["sealed"], found["format_version"]) == (total, True, 4)
