"""Bytes that two parsers could read as two models."""

import numpy as np
import onnx
import pytest
from google.protobuf.message import DecodeError
from onnx import TensorProto

import regimetry as rg
from regimetry.errors import ModelError
from regimetry.runtime.graphfile import GraphFile
from regimetry.runtime.seal import sealed

BYTES = 2
GRAPH, NODE, WEIGHT, ATTRIBUTE, VALUE = 7, 1, 5, 5, 11


def number(value):
    found = []
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def field(place, content, bits=0):
    """Return a field of bytes, whose tag may have further bits set."""
    return number(place << 3 | BYTES | bits) + number(len(content)) + content


def read_number(content, at):
    value = shift = 0
    while True:
        value |= (content[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if content[at - 1] < 0x80:
            return value, at


def within(content, path, extra):
    """Put bytes behind the last field of the first message at a path of field numbers."""
    if not path:
        return content + extra
    at = 0
    while at < len(content):
        tag, start = read_number(content, at)
        size, start = read_number(content, start) if tag & 7 == BYTES else (None, start)
        end = start + size if size is not None else read_number(content, start)[1]
        if tag == path[0] << 3 | BYTES:
            try:
                inner = within(content[start:end], path[1:], extra)
            except LookupError:  # this one has no such field, perhaps the next one has
                pass
            else:
                return content[:at] + field(path[0], inner) + content[end:]
        at = end
    raise LookupError(path)


@pytest.fixture
def refused(model_path):
    """Expect a file to be refused, for a reason, before onnxruntime sees it."""

    def check(path, extra, reason):
        with pytest.raises(ModelError, match=rf"{reason}\). Copy it again"):
            rg.RegimeModel(within(model_path.read_bytes(), path, extra))

    return check


PLACES = {
    "a model": [],
    "a graph": [GRAPH],
    "a node": [GRAPH, NODE],
    "an attribute": [GRAPH, NODE, ATTRIBUTE],
    "a tensor": [GRAPH, WEIGHT],
    "a value": [GRAPH, VALUE],
}


@pytest.mark.parametrize("place", PLACES)
def test_a_field_that_is_not_known(refused, place):
    refused(PLACES[place], field(77, b"?"), f"{place} has a field 77 of wire type 2")


@pytest.mark.parametrize("place", PLACES)
def test_a_field_of_another_wire_type_which_a_parser_would_skip(refused, place):
    refused(PLACES[place], number(1 << 3 | 5) + b"four", f"{place} has a field 1 of wire type 5")


@pytest.mark.parametrize(
    ("place", "once"),
    [("a model", GRAPH), ("a node", 3), ("a node", 4), ("an attribute", 1), ("an attribute", 4),
     ("a tensor", 8), ("a tensor", 9), ("a value", 1), ("a value", 2)],
)  # fmt: skip
def test_a_field_that_stands_twice(refused, place, once):
    # The first may not be there: then these are the two.
    refused(PLACES[place], 2 * field(once, b""), f"{place} has the field {once} twice")


def test_a_number_that_stands_twice(refused):
    refused([], number(1 << 3) + b"\x08", "a model has the field 1 twice")
    refused([GRAPH, WEIGHT], number(2 << 3) + b"\x01", "a tensor has the field 2 twice")


@pytest.mark.parametrize("bits", [1 << 32, 1 << 33, 1 << 34])
@pytest.mark.parametrize(
    ("place", "hidden"), [("a model", GRAPH), ("a model", 25), ("a tensor", 13)]
)
def test_a_tag_whose_bits_above_32_a_parser_drops(refused, place, hidden, bits):
    found = bits >> 3 | hidden
    refused(PLACES[place], field(hidden, b"", bits), f"{place} has a field {found} of wire type 2")


@pytest.mark.parametrize("bits", [1 << 35, 1 << 62])
def test_a_tag_of_more_than_five_bytes(refused, bits):
    refused([], field(GRAPH, b"", bits), "ends inside a number, or the number is too long")


def test_a_length_of_more_than_five_bytes(refused):
    refused([], b"\x32" + b"\x80" * 5 + b"\x00", "or the number is too long")


@pytest.mark.parametrize("kind", [3, 4, 6, 7])
def test_groups_and_wire_types_that_do_not_exist(refused, kind):
    refused([], number(2 << 3 | kind), f"a field 2 of wire type {kind}")


def test_two_values_of_one_name(refused, model_path):
    graph = onnx.load_from_string(model_path.read_bytes()).graph
    weight, node = graph.initializer[0], graph.node[3]
    refused([GRAPH], field(WEIGHT, weight.SerializeToString()), "two of its initializers .*")
    refused([GRAPH], field(NODE, node.SerializeToString()), f"'{node.output[0]}' has two sources")
    given = TensorProto(name=node.output[0], data_type=1, float_data=[0])
    refused([GRAPH], field(WEIGHT, given.SerializeToString()), "has two sources")


def test_bytes_put_in_by_the_test_are_read(model_path, values):
    """The same walk with a field that is allowed: so the refusals above are not its mistakes."""
    content = sealed(within(model_path.read_bytes(), [GRAPH, NODE], field(6, b"a note")))
    assert onnx.load_from_string(content).graph.node[0].doc_string == "a note"
    rg.RegimeModel(content).predict(values[:50])


def test_what_is_read_of_changed_bytes_is_what_protobuf_reads(model_path):
    content, generator = model_path.read_bytes(), np.random.default_rng(1)
    content = content.replace(b"regimetry.seal", b"regimetry.sael")  # else the seal refuses it all
    read = 0
    for position in generator.integers(0, len(content), 400):
        changed = bytearray(content)
        changed[position] ^= 1 << generator.integers(8)
        try:
            graph = GraphFile.read(bytes(changed))
            model = onnx.load_from_string(bytes(changed))
        except (ModelError, DecodeError):  # of what does not lead to a node, protobuf reads more
            continue
        assert [(node.inputs, node.outputs) for node in graph.nodes] == [
            (raw(node.input), raw(node.output)) for node in model.graph.node
        ]
        assert (*graph.initializers,) == raw(weight.name for weight in model.graph.initializer)
        read += 1
    assert 0 < read < 400


def raw(names):
    """Return names as bytes, as protobuf itself gives those that are no UTF-8."""
    return tuple(name if isinstance(name, bytes) else name.encode() for name in names)
