"""The service as its clients see it: a real process, real sockets, an independent client."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tritonclient import http as triton

OUTPUTS = ("embedding", "distance", "regime", "novelty")


@pytest.fixture
def client(server):
    with triton.InferenceServerClient(server.url, concurrency=4) as found:
        yield found


def window_of(values, *, binary=True):
    tensor = triton.InferInput("window", list(values.shape), "FP32")
    return [tensor.set_data_from_numpy(values, binary_data=binary)]


def test_health_and_metadata_which_are_those_of_the_answers(client, shipped, windows):
    assert client.is_server_live()
    assert client.is_server_ready()
    for version in ("", "1"):
        assert client.is_model_ready("sp500", version)
        metadata = client.get_model_metadata("sp500", version)
        assert (metadata["name"], metadata["versions"]) == ("sp500", ["1"])
    assert not client.is_model_ready("other")
    assert not client.is_model_ready("sp500", "2")
    server = client.get_server_metadata()
    assert (server["name"], server["extensions"]) == ("regimetry", ["binary_tensor_data"])
    parameters = metadata["parameters"]
    assert parameters["jump_penalty"] == shipped.contract.jump_penalty
    assert json.loads(parameters["feature_names"]) == ["close", "range"]
    (window,) = metadata["inputs"]
    assert window == {"name": "window", "datatype": "FP32", "shape": [-1, *windows.shape[1:]]}
    arrays = shipped.run(windows)
    assert [output["name"] for output in metadata["outputs"]] == list(arrays)
    kinds = {"FP32": np.float32, "INT64": np.int64}
    for output in metadata["outputs"]:
        array = arrays[output["name"]]
        assert output["shape"] == [-1, *array.shape[1:]]
        assert kinds[output["datatype"]] == array.dtype


@pytest.mark.parametrize("binary_in", [True, False])
@pytest.mark.parametrize("binary_out", [True, False, None])
def test_answers_are_those_of_the_model(client, shipped, windows, binary_in, binary_out):
    chosen = None
    if binary_out is not None:
        chosen = [triton.InferRequestedOutput(name, binary_data=binary_out) for name in OUTPUTS]
    inputs = window_of(windows, binary=binary_in)
    answer = client.infer("sp500", inputs, outputs=chosen, request_id="a 7", model_version="1")
    assert answer.get_response()["id"] == "a 7"
    for name, expected in shipped.run(windows).items():
        found = answer.as_numpy(name)
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)


def test_concurrent_clients_get_the_answers_of_serial_ones(server, client, windows):
    batches = [windows[i : i + 1 + i % 7] for i in range(40)]
    serial = [client.infer("sp500", window_of(batch)).as_numpy("embedding") for batch in batches]
    pending = [client.async_infer("sp500", window_of(batch)) for batch in batches]
    for expected, answer in zip(serial, pending, strict=True):
        np.testing.assert_array_equal(answer.get_result().as_numpy("embedding"), expected)

    barrier = threading.Barrier(8)

    def ask(number):
        barrier.wait()
        found = []
        for batch in batches[number::8]:
            entry = {"name": "window", "shape": list(batch.shape), "datatype": "FP32"}
            request = {"inputs": [entry | {"data": batch.tolist()}], "id": str(number)}
            status, _, answer = server.infer(request)
            assert (status, answer["id"]) == (200, str(number))
            output = answer["outputs"][0]
            found.append(np.array(output["data"], np.float32).reshape(output["shape"]))
        return found

    with ThreadPoolExecutor(8) as threads:
        for number, answers in enumerate(threads.map(ask, range(8))):
            for expected, found in zip(serial[number::8], answers, strict=True):
                np.testing.assert_array_equal(found, expected)


def test_the_independent_client_understands_refusals(client, windows):
    with pytest.raises(triton.InferenceServerException, match="no model 'other'") as caught:
        client.infer("other", window_of(windows))
    assert caught.value.status() == "404"
    chosen = [triton.InferRequestedOutput("label")]
    with pytest.raises(triton.InferenceServerException, match="no output 'label'") as caught:
        client.infer("sp500", window_of(windows), outputs=chosen)
    assert caught.value.status() == "400"
    with pytest.raises(triton.InferenceServerException, match="'sequence_id'"):
        client.infer("sp500", window_of(windows), sequence_id=3)
    with pytest.raises(triton.InferenceServerException, match="without compression") as caught:
        client.infer("sp500", window_of(windows), request_compression_algorithm="gzip")
    assert caught.value.status() == "415"


INPUT = {"name": "window", "shape": [1, 37, 2], "datatype": "FP32", "data": [1.0] * 74}


def with_input(**changes):
    return {"inputs": [INPUT | changes]}


def without(key):
    return {"inputs": [{name: value for name, value in INPUT.items() if name != key}]}


def with_value(value, place=0):
    return with_input(data=[1.0] * place + [value] + [1.0] * (73 - place))


WRONG = {
    "no body": (b"", "not JSON"),
    "half a body": (b'{"inputs": [', "not JSON"),
    "a form": (b"inputs=window", "not JSON"),
    "a page": (b"<html></html>", "not JSON"),
    "not UTF-8": (b'{"id": "\xff"}', "not JSON"),
    "nested deeply": (b"[" * 200_000, "nested too deeply"),
    "a list": ([INPUT], "The request is a list"),
    "no inputs": ({}, "'inputs' is absent"),
    "empty inputs": ({"inputs": []}, "The inputs are nothing"),
    "inputs an object": ({"inputs": INPUT}, "'inputs' is an object"),
    "an input of text": ({"inputs": ["window"]}, "An entry of 'inputs' is text"),
    "no name": (without("name"), "lacks a name"),
    "unknown input": (with_input(name="series"), "The inputs are 'series'"),
    "input twice": ({"inputs": [INPUT, INPUT]}, "The inputs are 'window', 'window'"),
    "no datatype": (without("datatype"), "datatype 'None'"),
    "FP64": (with_input(datatype="FP64"), "datatype 'FP64'"),
    "no shape": (without("shape"), "shape None"),
    "no batch": (with_input(shape=[37, 2]), "shape [37, 2]; the model reads [-1, 37, 2]"),
    "empty batch": (with_input(shape=[0, 37, 2], data=[]), "shape [0, 37, 2]"),
    "negative batch": (with_input(shape=[-1, 37, 2]), "shape [-1, 37, 2]"),
    "narrow": (with_input(shape=[1, 37, 1]), "shape [1, 37, 1]"),
    "shape of text": (with_input(shape="1"), "shape 1;"),
    "shape of fractions": (with_input(shape=[1.0, 37, 2]), "shape [1.0, 37, 2]"),
    "large batch": (with_input(shape=[1025, 37, 2]), "has 1025 windows; this server takes 1024"),
    "vast batch": (with_input(shape=[10**30, 37, 2]), "this server takes 1024"),
    "no data": (without("data"), "neither data nor binary_data_size"),
    "short data": (with_input(data=[1.0] * 41), "have shape [41]"),
    "long data": (with_input(data=[1.0] * 75), "have shape [75]"),
    "ragged data": (with_input(data=[[1.0], [1.0, 2.0]]), "unequal length"),
    "data of text": (with_value("1"), "not all numbers"),
    "data with null": (with_value(None), "not all numbers"),
    "data an object": (with_input(data={"0": 1}), "not all numbers"),
    "NaN": (with_value(float("nan")), "holds NaN"),
    "infinity": (with_value(float("inf")), "holds Infinity"),
    "beyond float64": (json.dumps(with_value(8)).replace("8", "1e999").encode(), "holds inf"),
    "beyond float32": (with_value(1e300, 3), "row 1, column 'range' holds inf"),
    "not positive": (with_value(-2.0, 4), "row 2, column 'close' holds -2.0; it must be positive"),
    "parameters a list": (with_input(parameters=[]), "'parameters' of Input 'window' is a list"),
    "shared memory": (with_input(parameters={"shared_memory_region": "x"}), "not supported"),
    "data twice": (with_input(parameters={"binary_data_size": 296}), "give one"),
    "id of a number": ({"inputs": [INPUT], "id": 7}, "id is a number"),
    "outputs of text": ({"inputs": [INPUT], "outputs": "regime"}, "'outputs' is text"),
    "unknown output": ({"inputs": [INPUT], "outputs": [{"name": "x"}]}, "no output 'x'"),
    "output twice": ({"inputs": [INPUT], "outputs": [{"name": "regime"}] * 2}, "asked for twice"),
    "classification": (
        {"inputs": [INPUT],
         "outputs": [{"name": "regime", "parameters": {"classification": 2}}]},
        "'classification', which is not supported",
    ),
    "binary of text": (
        {"inputs": [INPUT], "outputs": [{"name": "regime", "parameters": {"binary_data": "yes"}}]},
        "binary_data of Output 'regime' is text",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", list(WRONG))
def test_wrong_requests_are_refused_in_one_sentence(server, case):
    request, message = WRONG[case]
    status, headers, answer = server.infer(request)
    assert (status, headers["content-type"]) == (400, "application/json")
    assert list(answer) == ["error"]
    assert message in answer["error"]
    assert "\n" not in answer["error"]
    assert server.infer({"inputs": [INPUT]})[0] == 200


BINARY = {
    "short": (296, 295, None, "are 295; shape [1, 37, 2] of FP32 takes 296"),
    "long": (296, 297, None, "are 297"),
    "size too small": (292, 296, None, "binary_data_size of 'window' is 292"),
    "size of text": ("296", 296, None, "binary_data_size of 'window' is 296"),
    "vast size": (10**30, 296, None, "binary_data_size of 'window' is 1000"),
    "no size": (None, 296, None, "no input has a binary_data_size"),
    "header too short": (296, 296, "7", "not JSON"),
    "header too long": (296, 296, "100000", "Inference-Header-Content-Length is '100000'"),
    "not finite": (296, 296, None, "Window 0, row 36, column 'range' holds nan"),
    "header of text": (296, 296, "all", "Inference-Header-Content-Length is 'all'"),
}


@pytest.mark.parametrize("case", list(BINARY))
def test_wrong_binary_requests_are_refused_in_one_sentence(server, case):
    size, length, header, message = BINARY[case]
    entry = without("data")["inputs"][0]
    if size is not None:
        entry["parameters"] = {"binary_data_size": size}
    elif case == "no size":
        entry["data"] = INPUT["data"]
    headers = {} if header is None else {"Inference-Header-Content-Length": header}
    values = np.ones(80, "<f4")
    values[73] = np.nan  # which is told where nothing else is wrong
    tail = values.tobytes()[:length]
    status, _, answer = server.infer({"inputs": [entry]}, tail, **headers)
    assert (status, message in answer["error"]) == (400, True), answer
    assert server.infer({"inputs": [INPUT]})[0] == 200


def test_wrong_routes_are_refused(server):
    for method, path, status in (
        ("GET", "/", 404),
        ("GET", "/v2/", 404),
        ("GET", "/v2/models/other", 404),
        ("GET", "/v2/models/sp500/versions/9/ready", 404),
        ("POST", "/v2/models/other/infer", 404),
        ("GET", "/v2/models/sp500/infer", 405),
        ("POST", "/v2/health/live", 405),
    ):
        found, headers, answer = server.ask(method, path)
        assert found == status
        assert list(answer) == ["error"]
        if status == 405:
            assert headers["allow"] in ("POST", "GET, HEAD", "HEAD, GET")


def test_metrics_count_what_happened(start, windows, request_of):
    with start("--name", "spx") as server:
        for _ in range(3):
            server.ask("POST", "/v2/models/spx/infer", json.dumps(request_of(windows[:5])))
        server.ask("POST", "/v2/models/spx/infer", b"{}")
        server.ask("POST", "/v2/models/sp500/infer", b"{}")
        server.ask("GET", "/nowhere")
        metrics = server.metrics()
        counted = (("infer", 200, 3), ("infer", 400, 1), ("infer", 404, 1), ("none", 404, 1))
        for route, status, n in counted:
            name = f'regimetry_requests_total{{route="{route}",status="{status}"}}'
            assert metrics[name] == n
        assert metrics['regimetry_request_seconds_count{route="infer"}'] == 5
        assert metrics["regimetry_inference_seconds_count"] == 3
        assert metrics['regimetry_request_windows_bucket{le="4.0"}'] == 0
        assert metrics['regimetry_request_windows_bucket{le="8.0"}'] == 3
        assert metrics["regimetry_request_windows_sum"] == 15
        assert metrics["regimetry_requests_in_flight"] == 0
        assert metrics["process_resident_memory_bytes"] > 0
        (info,) = [key for key in metrics if key.startswith("regimetry_model_info")]
        assert 'name="spx"' in info
