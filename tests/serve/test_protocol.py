"""The codec alone: what goes in comes out, and what does not fit is refused."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from regimetry.contract import Signature, Tensor
from regimetry.serve.protocol import InferenceRequest, decode_request, encode_response
from regimetry.serve.tensors import DATATYPES, RequestError

ROWS, FEATURES, MOST = 3, 2, 5
SIGNATURE = Signature(
    Tensor("window", np.dtype(np.float32), (ROWS, FEATURES)),
    (Tensor("embedding", np.dtype(np.float32), (4,)), Tensor("regime", np.dtype(np.int64), ())),
)


def encode_request(window, *, binary, nested=False, **entries):
    """The slow twin of a client: bytes and header length of a request."""
    entry = {"name": "window", "datatype": "FP32", "shape": list(window.shape)}
    tail = b""
    if binary:
        tail = window.astype("<f4").tobytes()
        entry["parameters"] = {"binary_data_size": len(tail)}
    else:
        entry["data"] = window.tolist() if nested else window.ravel().tolist()
    header = json.dumps({"inputs": [entry], **entries}).encode()
    return header + tail, str(len(header)) if binary else None


def decode_response(body, header_length):
    """The slow twin of a client: the JSON of a response, and its arrays."""
    end = len(body) if header_length is None else header_length
    response, tail = json.loads(body[:end], parse_constant=pytest.fail), body[end:]
    arrays = {}
    for entry in response["outputs"]:
        (name,) = (name for name, word in DATATYPES.items() if word == entry["datatype"])
        dtype = np.dtype(name).newbyteorder("<")
        if "data" in entry:
            array = np.array(entry["data"], dtype)
        else:
            size = entry["parameters"]["binary_data_size"]
            array, tail = np.frombuffer(tail[:size], dtype), tail[size:]
        arrays[entry["name"]] = array.reshape(entry["shape"])
    assert tail == b""
    return response, arrays


finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
windows_of = hnp.arrays(
    np.float32, st.integers(1, MOST).map(lambda b: (b, ROWS, FEATURES)), elements=finite
)


@given(windows_of, st.booleans(), st.booleans(), st.none() | st.text())
def test_a_request_is_read_to_the_bit(window, binary, nested, identity):
    entries = {} if identity is None else {"id": identity}
    body, length = encode_request(window, binary=binary, nested=nested, **entries)
    request = decode_request(body, length, SIGNATURE, MOST)
    assert request.window.dtype == np.float32
    assert request.window.shape == window.shape
    assert request.window.tobytes() == window.tobytes()
    assert request.id == identity
    assert request.outputs == {"embedding": False, "regime": False}


arrays_of = st.integers(1, MOST).flatmap(
    lambda batch: st.fixed_dictionaries(
        {
            "embedding": hnp.arrays(np.float32, (batch, 4), elements=finite),
            "regime": hnp.arrays(np.int64, (batch,)),
        }
    )
)


@given(
    arrays_of,
    st.permutations(["embedding", "regime"]),
    st.lists(st.booleans(), min_size=2, max_size=2),
    st.integers(1, 2),
    st.none() | st.text(),
)
def test_a_response_is_written_to_the_bit(arrays, order, binary, count, identity):
    outputs = dict(zip(order[:count], binary, strict=False))
    request = InferenceRequest(identity, np.zeros((1, ROWS, FEATURES), np.float32), outputs)
    body, length = encode_response(request, arrays, "m", "1")
    assert (length is None) == (not any(outputs.values()))
    response, found = decode_response(body, length)
    assert (response["model_name"], response["model_version"]) == ("m", "1")
    assert response.get("id") == identity
    assert list(found) == list(outputs)
    for name, array in found.items():
        assert array.dtype == arrays[name].dtype
        assert array.tobytes() == arrays[name].tobytes()


@pytest.mark.parametrize("kind", ["strided", "big-endian", "fortran"])
def test_arrays_of_any_layout_are_written_alike(kind):
    plain = np.arange(8, dtype=np.float32).reshape(2, 4)
    array = {
        "strided": np.repeat(plain, 2, axis=1)[:, ::2],
        "big-endian": plain.astype(">f4"),
        "fortran": np.asfortranarray(plain),
    }[kind]
    for binary in (False, True):
        request = InferenceRequest(None, np.zeros(1), {"embedding": binary})
        found = encode_response(request, {"embedding": array}, "m", "1")
        assert found == encode_response(request, {"embedding": plain}, "m", "1")


def test_outputs_are_chosen_one_by_one_or_all_alike_and_hints_are_let_be():
    window = np.zeros((1, ROWS, FEATURES), np.float32)
    plain = {"name": "regime", "parameters": {"binary_data": False}}
    for entries, expected in (
        ({"outputs": None}, {"embedding": False, "regime": False}),
        ({"outputs": []}, {"embedding": False, "regime": False}),
        ({"parameters": {"binary_data_output": True}}, {"embedding": True, "regime": True}),
        ({"outputs": [{"name": "regime"}]}, {"regime": False}),
        (
            {"parameters": {"binary_data_output": True}, "outputs": [plain, {"name": "embedding"}]},
            {"regime": False, "embedding": True},
        ),
    ):
        body, length = encode_request(window, binary=True, **entries)
        outputs = decode_request(body, length, SIGNATURE, MOST).outputs
        assert list(outputs.items()) == list(expected.items())
    body, length = encode_request(window, binary=True, parameters={"priority": 1, "mine": "x"})
    assert decode_request(body, length, SIGNATURE, MOST).id is None


WINDOW = np.arange(6, dtype=np.float32).reshape(1, ROWS, FEATURES)


def refusal(body, length=None):
    with pytest.raises(RequestError) as caught:
        decode_request(body, length, SIGNATURE, MOST)
    assert caught.value.status == 400
    return str(caught.value)


def test_a_header_length_that_cannot_be_is_refused():
    for length in (
        "",
        "x",
        "-1",
        "1.5",
        "0",
        "\u0664",
        "9" * 5000,
        "100000",
    ):
        body, _ = encode_request(WINDOW, binary=True)
        assert "Inference-Header-Content-Length is" in refusal(body, length)


def test_a_header_length_off_by_one_is_refused():
    for by in (
        -1,
        1,
    ):
        body, length = encode_request(WINDOW, binary=True)
        assert refusal(body, str(int(length) + by))


def test_a_refusal_does_not_repeat_a_long_request():
    for entries in (
        {"id": ["x" * 9999]},
        {"inputs": [{"name": "x" * 9999}]},
        {"inputs": [{"name": "window", "datatype": "x" * 9999}]},
        {"inputs": [{"name": "window", "datatype": "FP32", "shape": ["x" * 9999]}]},
        {"outputs": [{"name": "x" * 9999}]},
    ):
        body, _ = encode_request(WINDOW, binary=False, **entries)
        assert len(refusal(body)) < 300


@given(st.binary(max_size=200), st.none() | st.text(max_size=6))
def test_any_bytes_are_refused_and_nothing_else(body, length):
    refusal(body, length)


KEYS = ["name", "shape", "datatype", "data", "parameters"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from([*KEYS, "binary_data_size"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["id", "inputs", "outputs", "parameters"]), json_values),
    st.sampled_from(["", *KEYS]),
    json_values,
)
def test_any_json_is_read_or_refused_and_nothing_else(request, key, value):
    """A right request with entries put in the wrong place or of the wrong kind."""
    entry = {"name": "window", "datatype": "FP32", "shape": [1, ROWS, FEATURES]}
    right = {"inputs": [entry | {"data": WINDOW.tolist()} | ({key: value} if key else {})]}
    try:
        found = decode_request(json.dumps(right | request).encode(), None, SIGNATURE, MOST)
    except RequestError as error:
        refused = str(error)
    else:
        refused = ""
        assert (found.window.shape, found.window.dtype) == ((1, ROWS, FEATURES), np.float32)
    assert len(refused) < 500
